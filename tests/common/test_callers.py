"""Whose call it is: the address that limits, log-in locks and logs count."""

import pytest
import structlog
from django.test import RequestFactory

from smartpush.common.calls import callers
from smartpush.common.calls.callers import CallerAddress, axes_address, caller_address, caller_of, caller_read
from smartpush.common.observability.request_logs import RequestLogMiddleware

PEER = "8.8.4.4"


def read(forwarded=None, *, peer=PEER, trusted=0, **more):
    meta = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})
    return caller_read(meta, trusted_proxies=trusted, **more)


def test_without_proxies_nothing_that_the_caller_says_counts():
    assert read("1.1.1.1") == CallerAddress(PEER)


@pytest.mark.parametrize(
    ("trusted", "address"), [(1, "10.0.0.2"), (2, "1.1.1.1"), (3, "6.6.6.6"), (4, PEER), (9, PEER)]
)
def test_behind_proxies_the_address_is_what_the_outermost_of_them_saw(trusted, address):
    assert read("6.6.6.6, 1.1.1.1, 10.0.0.2", trusted=trusted).text == address


def test_behind_a_proxy_a_call_without_the_header_counts_for_its_peer():
    assert read(trusted=1) == CallerAddress(PEER)


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.6:51000", "203.0.113.6"),
        ("203.0.113.6:51001", "203.0.113.6"),
        (' "203.0.113.6" ', "203.0.113.6"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("[2001:db8:1:2::7]:443", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:203.0.113.6", "203.0.113.6"),
    ],
)
def test_ports_and_the_addresses_of_one_ipv6_network_are_one_caller(hop, address):
    assert read(hop, trusted=1).text == address
    assert read(peer=hop).text == address


@pytest.mark.parametrize("hop", ["unknown", "_hidden", "1.2.3", "999.1.1.1", "a:b", "[", "-"])
def test_what_is_no_address_counts_for_the_peer(hop):
    assert read(hop, trusted=1).text == PEER


@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1", "192.168.1.4", "::1", "fd00::1", ""])
def test_a_proxy_that_the_settings_do_not_account_for_is_noticed(peer):
    assert read("1.1.1.1", peer=peer).shared
    assert read("1.1.1.1", peer=peer, trusted=2).shared
    assert read("unknown", peer=peer, trusted=1).shared
    assert not read("1.1.1.1", peer=peer, trusted=1).shared
    assert not read(peer=peer).shared


def test_a_caller_of_the_internet_cannot_pass_for_a_proxy():
    assert read("1.1.1.1, 2.2.2.2", peer=PEER) == CallerAddress(PEER, shared=False)


def test_behind_https_an_unencrypted_call_has_passed_a_proxy_even_if_it_says_nothing():
    meta = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http"}
    assert caller_read(meta, trusted_proxies=0, https=True).shared
    assert not caller_read(meta, trusted_proxies=0, https=False).shared
    assert not caller_read(meta | {"wsgi.url_scheme": "https"}, trusted_proxies=0, https=True).shared


def test_limits_locks_and_logs_have_one_answer(settings):
    settings.SMARTPUSH_TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.6:9")
    structlog.contextvars.clear_contextvars()
    RequestLogMiddleware.bind_ip(request)
    bound = structlog.contextvars.get_contextvars()["ip"]
    structlog.contextvars.clear_contextvars()
    assert {caller_of(request), axes_address(request), bound} == {"203.0.113.6"}


def test_a_server_on_a_socket_file_stores_no_address_for_a_log_in():
    assert axes_address(RequestFactory().get("/", REMOTE_ADDR="")) is None


def test_the_log_names_an_unaccounted_proxy_once(settings, monkeypatch):
    settings.SMARTPUSH_TRUSTED_PROXIES = 0
    monkeypatch.setattr(callers, "_told", set())
    with structlog.testing.capture_logs() as logs:
        for number in range(3):
            caller_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.1.1.{number}"))
    (line,) = logs
    assert (line["event"], line["peer"], line["log_level"]) == ("proxy_not_accounted_for", "10.0.0.1", "warning")
    assert "SMARTPUSH_TRUSTED_PROXIES" in line["do"]
