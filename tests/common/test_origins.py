"""Click addresses: https, on the brand's hosts, without tricks."""

import pytest

from smartpush.common.origins import MESSAGES, check_click_url, is_allowed_click_url, normal_host

HOSTS = frozenset({"www.example.com", "*.shop.example.com", "bücher.example"})
DEV = frozenset({"http://127.0.0.1:8820"})


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.com",
        "https://www.example.com/",
        "https://WWW.Example.com/a?b=c#d",
        "https://www.example.com./x",
        "https://www.example.com:443/x",
        "https://a.shop.example.com/x",
        "https://a.b.shop.example.com/x",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://www.example.com/a@b",
        "http://127.0.0.1:8820/lobby",
    ],
)
def test_the_brands_own_addresses_are_allowed(url):
    assert check_click_url(url, hosts=HOSTS, dev_origins=DEV) is None
    assert is_allowed_click_url(url, hosts=HOSTS, dev_origins=DEV)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "url_empty"),
        ("/relative", "url_malformed"),
        ("//www.example.com/x", "url_malformed"),
        ("http://www.example.com/", "url_not_https"),
        ("javascript:alert(1)", "url_not_https"),
        ("JavaScript://www.example.com/%0aalert(1)", "url_not_https"),
        ("data:text/html,x", "url_not_https"),
        ("java\tscript:alert(1)", "url_characters"),
        ("https://www.example.com\\@evil.com/", "url_characters"),
        ("https:\\\\www.example.com/", "url_characters"),
        (" https://www.example.com/", "url_characters"),
        ("https://www.example.com/a\nb", "url_characters"),
        ("https://www.example.com\u200b/", "url_characters"),
        ("https://www.example.com@evil.com/", "url_user_info"),
        ("https://user:pw@www.example.com/", "url_user_info"),
        ("https://evil.com/", "url_host"),
        ("https://www.example.com.evil.com/", "url_host"),
        ("https://evilwww.example.com/", "url_host"),
        ("https://shop.example.com/", "url_host"),
        ("https://xshop.example.com/", "url_host"),
        ("https://www.exаmple.com/", "url_host"),
        ("https://www.example.com:8443/", "url_port"),
        ("https://www.example.com:99999/", "url_malformed"),
        ("https://[::1]/", "url_malformed"),
        ("https://[bad/", "url_malformed"),
        ("http://127.0.0.1:8821/", "url_not_https"),
        ("http://127.0.0.1/", "url_not_https"),
        ("https://www.example.com/" + "x" * 2000, "url_too_long"),
    ],
)
def test_everything_else_is_refused_with_a_reason(url, code):
    assert check_click_url(url, hosts=HOSTS, dev_origins=DEV) == code
    assert code in MESSAGES
    assert not is_allowed_click_url(url, hosts=HOSTS, dev_origins=DEV)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://www.example.com/{{ user.page }}", None),
        ("https://www.example.com?u={{ user.id }}", None),
        ("https://www.example.com/{% if user.a %}a b{% endif %}", None),
        ("{{ user.url }}", "url_dynamic_host"),
        ("https://{{ user.host }}/", "url_dynamic_host"),
        ("https://www.example.com{{ user.rest }}", "url_dynamic_host"),
        ("https://www.example.com:{{ user.port }}/", "url_dynamic_host"),
        ("{% if user.a %}https://www.example.com/{% endif %}", "url_dynamic_host"),
        ("https://evil.com/{{ user.page }}", "url_host"),
        ("javascript://x/{{ user.page }}", "url_not_https"),
    ],
)
def test_a_template_has_a_literal_scheme_and_host(url, code):
    assert check_click_url(url, hosts=HOSTS, dev_origins=DEV) == code


def test_a_rendered_address_may_not_still_be_a_template():
    assert not is_allowed_click_url("https://www.example.com/{{ x }}", hosts=HOSTS)


def test_hosts_are_compared_in_one_normal_form():
    assert normal_host("BÜCHER.example.") == "xn--bcher-kva.example"
    assert normal_host("a..b") is None
    assert normal_host("ex ample.com") is None
