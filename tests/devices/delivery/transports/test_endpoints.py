import base64

import pytest

from devices.delivery.transports.endpoints import EndpointRefused, KeysRefused, check_endpoint, check_keys


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:APA91b", "https://fcm.googleapis.com"),
        ("https://fcm.googleapis.com:443/wp/abc", "https://fcm.googleapis.com"),
        ("https://jmt17.fcm.googleapis.com/fcm/send/x", "https://jmt17.fcm.googleapis.com"),
        ("https://updates.push.services.mozilla.com/wpush/v2/gA", "https://updates.push.services.mozilla.com"),
        ("https://web.push.apple.com/QABC", "https://web.push.apple.com"),
        (
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d%3d",
            "https://wns2-par02p.notify.windows.com",
        ),
    ],
)
def test_the_push_services_are_allowed(url, origin):
    assert check_endpoint(url) == origin


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://fcm.googleapis.com/x", "endpoint_scheme"),
        ("https://fcm.googleapis.com:8443/x", "endpoint_port"),
        ("https://fcm.googleapis.com:80/x", "endpoint_port"),
        ("https://evilfcm.googleapis.com/x", "endpoint_host"),
        ("https://fcm.googleapis.com.evil.example/x", "endpoint_host"),
        ("https://fcm.googleapis.com./x", "endpoint_host"),
        ("https://.fcm.googleapis.com/x", "endpoint_host"),
        ("https://a..fcm.googleapis.com/x", "endpoint_host"),
        ("https://googleapis.com/x", "endpoint_host"),
        ("https://localhost/x", "endpoint_host"),
        ("https://127.0.0.1/x", "endpoint_host"),
        ("https://[::1]/x", "endpoint_host"),
        ("https://user@fcm.googleapis.com/x", "endpoint_malformed"),
        ("https://evil.example@fcm.googleapis.com/x", "endpoint_malformed"),
        ("https://evil.example\\@fcm.googleapis.com/x", "endpoint_malformed"),
        ("https://evil.example#@fcm.googleapis.com/x", "endpoint_malformed"),
        ("https://fcm.googleapis.com/x#y", "endpoint_malformed"),
        ("https://FCM.googleapis.com/x", "endpoint_malformed"),
        ("https://fcm.googleapis.com:/x", "endpoint_malformed"),
        ("https://fcm.googleapis.com:0443/x", "endpoint_malformed"),
        ("https:fcm.googleapis.com/x", "endpoint_malformed"),
        ("https://fcm.googleapis.com/a b", "endpoint_malformed"),
        ("https://fcm.googleapis.com/a\r\nX: y", "endpoint_malformed"),
        ("https://fcm.googleapis.com/x\n", "endpoint_malformed"),
        ("https://fcm.googleapis.com/é", "endpoint_malformed"),
        ("https://fcm。googleapis.com/x", "endpoint_malformed"),
        ("file:///etc/passwd", "endpoint_malformed"),
        ("", "endpoint_malformed"),
        ("https://fcm.googleapis.com/" + "x" * 2048, "endpoint_length"),
    ],
)
def test_anything_else_is_refused(url, code):
    with pytest.raises(EndpointRefused) as refusal:
        check_endpoint(url)
    assert refusal.value.code == code


def test_the_operators_hosts_are_allowed_with_what_is_under_them():
    hosts = frozenset({"push.example.org"})

    assert check_endpoint("https://push.example.org/x", extra_hosts=hosts) == "https://push.example.org"
    assert check_endpoint("https://a.push.example.org/x", extra_hosts=hosts)
    for url in ("https://example.org/x", "http://push.example.org/x", "https://push.example.org:444/x"):
        with pytest.raises(EndpointRefused):
            check_endpoint(url, extra_hosts=hosts)


def test_loopback_and_http_are_allowed_by_exact_development_origin_only():
    dev = frozenset({"http://127.0.0.1:8090"})

    assert check_endpoint("http://127.0.0.1:8090/wpush/v2/x", dev_origins=dev) == "http://127.0.0.1:8090"
    for url in ("http://127.0.0.1:8091/x", "https://127.0.0.1:8090/x", "http://localhost:8090/x"):
        with pytest.raises(EndpointRefused):
            check_endpoint(url, dev_origins=dev)


def _text(data: bytes, *, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


@pytest.mark.parametrize("padded", [True, False])
def test_good_keys_are_decoded_padded_or_not(browser, padded):
    keys = check_keys(_text(browser.p256dh, padded=padded), _text(browser.auth, padded=padded))

    assert keys == (browser.p256dh, browser.auth)


def test_bad_keys_are_refused(browser):
    good, auth = browser.p256dh, browser.auth
    compressed = b"\x02" + good[1:33]
    cases = {
        "p256dh_length": (_text(compressed), _text(auth)),
        "p256dh_not_on_curve": (_text(good[:-1] + bytes([good[-1] ^ 1])), _text(auth)),
        "auth_length": (_text(good), _text(auth + b"x")),
        "p256dh_malformed": (_text(good)[:-1] + "!", _text(auth)),
        "auth_malformed": (_text(good), "A"),
    }
    for code, (p256dh, secret) in cases.items():
        with pytest.raises(KeysRefused) as refusal:
            check_keys(p256dh, secret)
        assert refusal.value.code == code
