"""Pages on developers' own machines: let in by a switch of the brand, and never on a production server."""

import pytest
from django.core.checks import run_checks

from devices.lifecycle.brands import local_pages_follow
from devices.models import App, Brand, Device
from smartpush.api.sdk.auth import _sites
from smartpush.common.addresses.origins import is_local_origin
from smartpush.common.time.clock import utc_now
from tests.api.page import Page

LOCAL = ["http://localhost", "http://localhost:3000", "http://127.0.0.1", "http://127.0.0.1:65535"]


def switch(brand: Brand, *, on: bool) -> None:
    brand.local_pages = on
    brand.save()
    local_pages_follow(brand=brand, now=utc_now())
    _sites.clear()  # what is remembered for two seconds


@pytest.mark.parametrize("origin", LOCAL)
def test_the_switch_lets_in_every_port_and_off_keeps_them_out(brand, origin):
    page = Page(brand, origin)
    assert page.session(expect=403)["code"] == "origin_not_allowed"
    switch(brand, on=True)
    page.session()
    assert page.device.app.origin == "http://localhost"
    page.allow()
    assert page.session()["status"] == "allowed"
    switch(brand, on=False)
    assert page.session(expect=403)["code"] == "origin_not_allowed"
    switch(brand, on=True)
    page.session()
    assert (Device.objects.count(), App.objects.filter(brand=brand).count()) == (1, 2)


@pytest.mark.parametrize(
    "origin",
    [
        "https://localhost", "http://localhost.evil.example", "http://127.0.0.2", "http://[::1]:3000", "http://192.168.0.1",
        "http://localhost:0", "http://localhost:3000/", "http://LOCALHOST", "http://localhost:3000.evil.example",
        "http://evil.example#http://localhost", "null",
    ],
)  # fmt: skip
def test_nothing_else_comes_in_by_the_switch(brand, origin):
    switch(brand, on=True)
    assert not is_local_origin(origin)
    assert Page(brand, origin).session(expect=403)["code"] == "origin_not_allowed"


def test_another_brands_switch_opens_nothing(brand, other):
    switch(other.brand, on=True)
    assert Page(brand, LOCAL[1]).session(expect=403)["code"] == "origin_not_allowed"


@pytest.mark.parametrize("origin", LOCAL)
def test_a_production_server_refuses_them_and_a_check_names_the_brand(brand, origin, settings):
    switch(brand, on=True)
    settings.DEVELOPMENT = False
    assert Page(brand, origin).session(expect=403)["code"] == "origin_not_allowed"
    (warning,) = [one for one in run_checks(databases=["default"]) if one.id == "smartpush.W001"]
    assert brand.name in warning.msg
    switch(brand, on=False)
    assert not [one for one in run_checks(databases=["default"]) if one.id == "smartpush.W001"]
