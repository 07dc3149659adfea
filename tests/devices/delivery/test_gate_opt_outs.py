"""The two opt-outs win over everything but operational messages that the brand has marked so."""

import pytest

from devices.models import EndUser


@pytest.mark.parametrize("opt_out", ["user_opt_out", "platform_opt_out"])
@pytest.mark.parametrize(
    ("purpose", "brand_says_so", "state"),
    [
        ("marketing", False, "suppressed"),
        ("marketing", True, "suppressed"),
        ("operational", False, "suppressed"),
        ("operational", True, "accepted"),
    ],
)
def test_only_operational_messages_of_a_brand_that_says_so_pass_an_opt_out(
    channel, opt_out, purpose, brand_says_so, state
):
    ann = channel.subscriber("ann")
    EndUser.objects.update(**{opt_out: True})
    channel.brand.operational_ignores_opt_out = brand_says_so
    channel.brand.save()
    delivery = channel.push(ann, purpose=purpose)
    assert (delivery.state, delivery.reason) == (state, "" if state == "accepted" else "opted_out")
    assert len(channel.received("ann")) == (state == "accepted")


def test_each_opt_out_alone_is_enough_and_neither_overwrites_the_other(channel):
    ann = channel.subscriber("ann")
    EndUser.objects.update(user_opt_out=True, platform_opt_out=True)
    assert channel.push(ann, request="both").reason == "opted_out"
    EndUser.objects.update(user_opt_out=False)
    assert channel.push(ann, request="platform").reason == "opted_out"
    EndUser.objects.update(platform_opt_out=False)
    assert channel.push(ann, request="none").state == "accepted"
