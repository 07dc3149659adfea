"""A push service that is slow, cuts connections and refuses for a while."""

from devices.delivery.transports.origin_queues import ERRORS_TO_OPEN
from devices.models import DeliveryChunk
from devices.pushservice.server import LocalPushService
from tests.browser.harness.waiting import wait_until

from .letter import SETTLED_SECONDS, Letter


def test_cut_connections_refusals_and_slowness_lose_nothing(
    letter: Letter, push_service: LocalPushService, record_property
):
    letter.post(pace=0.05)
    letter.wait_received(60)
    push_service.fail("cut", cut="after", times=30)
    wait_until(lambda: push_service.state()["cut"]["webpush"] == 30, timeout=SETTLED_SECONDS, what="the cuts")
    push_service.fail("cut", cut="before", times=30)
    wait_until(lambda: push_service.state()["cut"]["webpush"] == 60, timeout=SETTLED_SECONDS, what="the cuts")
    push_service.fail(503)
    refused = push_service.state
    # After so many in a row it is asked one at a time.
    wait_until(
        lambda: refused()["rejected"]["webpush"].get("503", 0) >= ERRORS_TO_OPEN,
        timeout=SETTLED_SECONDS,
        what="the refusals",
    )
    push_service.clear_failures()
    letter.settle()
    repeated = letter.everybody_got_it()
    record_property("messages_sent_again", repeated)
    print(f"sent again: {repeated}")
    # Who was cut after the message was taken is the only one to be sent it again: so it is as long as no worker stood
    # still for longer than its lease, after which another does its work once more.
    overtaken = DeliveryChunk.objects.filter(brand=letter.brand, attempt__gt=1).exists()
    assert repeated == 30 or (overtaken and repeated > 30)
