"""kill -9 of the web server while visitors subscribe and a push goes out: who tries again finds everything in order."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from campaigns.models import Enrolment
from campaigns.services.publish import campaign_publish
from campaigns.services.ready import campaign_make_ready
from devices.lifecycle.brands import brand_create
from devices.models import Brand, Delivery, EndUser, PopupOffer
from devices.pushservice.server import LocalPushService
from smartpush.common.time.clock import utc_now
from smartpush.demo.visitors import ASK, device_of
from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import Product, tree
from tests.support.processes import kill

from .letter import SETTLED_SECONDS, Letter

VISITORS = 60


@dataclass(frozen=True)
class Visitors:
    """People whose page tries each call again until it is answered, as the SDK does."""

    product: Product
    brand: Brand
    origin: str

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make one call, again and again while nobody answers."""
        headers = {"X-Smartpush-Key": self.brand.public_key, "Origin": self.origin}
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            try:
                answer = requests.post(
                    f"{self.product.url}/api/v1/sdk/{path}", json=body, headers=headers, timeout=SETTLED_SECONDS
                )
                if answer.status_code < 500:
                    answer.raise_for_status()
                    return answer.json()
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                pass
            assert time.monotonic() < deadline, f"nobody answered {path}"
            time.sleep(0.1)  # the pace of an impatient client, not a wait for something

    def subscribe(self, number: int, subscription: Mapping[str, str]) -> str:
        """Come, answer the popup with Allow, and return the end user's public id."""
        tab = f"tab-{number}"
        session = self.call(
            "session",
            {
                "installation": None,
                "external_id": f"visitor-{number}",
                "push": ASK,
                "device": device_of(number),
                "tab": tab,
            },
        )
        here = {"installation": session["installation"], "tab": tab}
        offer = session["popup"]
        deadline = time.monotonic() + SETTLED_SECONDS
        while offer is None:  # a session whose answer was lost holds the popup for another tab until its lease ends
            assert time.monotonic() < deadline, f"no popup for visitor {number}"
            offer = self.call("popups/poll", here)["popup"]
        self.call("popups/shown", {**here, "offer": offer["id"]})
        push = {"status": "allowed", "permission": "granted", "subscription": subscription}
        answer = self.call("popups/outcome", {**here, "offer": offer["id"], "outcome": "allowed", "push": push})
        assert answer["status"] == "allowed"
        return str(session["end_user"]["id"])


def kill_workers(product: Product) -> None:
    """kill -9 the processes that answer; the master starts others."""
    kill(tree(product.web.pid)[1:])


def test_visitors_who_subscribe_while_the_web_server_is_killed_all_get_their_welcome_once(
    product: Product, push_service: LocalPushService, letter: Letter
):
    letter.post(pace=0.05)
    letter.wait_received(60)
    origin = f"http://127.0.0.1:{product.site_ports[1]}"
    brand = brand_create(name="Lamp Room", origin=origin)
    campaign_publish(campaign=campaign_make_ready(brand=brand, by=None, now=utc_now()), by=None, now=utc_now())
    key = brand.vapid_keys.get(active=True).public_key
    made = push_service.subscriptions(VISITORS, key)
    visitors = Visitors(product, brand, origin)

    def allowed(count: int) -> Callable[[], bool]:
        return lambda: PopupOffer.objects.filter(brand=brand, state="allowed").count() >= count

    with ThreadPoolExecutor(6) as crowd:
        coming = [
            crowd.submit(
                visitors.subscribe,
                number,
                {
                    "endpoint": one["endpoint"],
                    "p256dh": one["p256dh"],
                    "auth": one["auth"],
                    "vapid_key": key,
                },
            )
            for number, one in enumerate(made)
        ]
        wait_until(allowed(10), timeout=SETTLED_SECONDS, what="the first subscribers", detail=product.describe)
        kill_workers(product)
        wait_until(allowed(25), timeout=SETTLED_SECONDS, what="more subscribers", detail=product.describe)
        product.web.kill()
        product.start_web()
        assert len({one.result() for one in coming}) == VISITORS

    letter.hurry()
    letter.settle()
    letter.everybody_got_it()
    users = EndUser.objects.filter(brand=brand, external_id__isnull=False)
    assert users.count() == VISITORS and set(users.values_list("last_session_status", flat=True)) == {"allowed"}
    assert PopupOffer.objects.filter(brand=brand, state="allowed").count() == VISITORS
    assert Enrolment.objects.filter(brand_id=brand.pk).exclude(state="done").count() == 0
    welcomes = Delivery.objects.filter(brand=brand)
    assert welcomes.filter(state="accepted").count() == welcomes.count() == VISITORS
    taken = letter.received({one["token"] for one in made})
    assert [len(set(topics)) for topics in taken.values()] == [1] * VISITORS
