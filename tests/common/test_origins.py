"""Click addresses: https, on the brand's hosts, without tricks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartpush.common.addresses.deep_links import check_deep_link
from smartpush.common.addresses.origins import (
    MESSAGES,
    check_click_url,
    is_allowed_click_url,
    normal_host,
    normal_origin,
    origin_hosts,
)

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
        ("https://[::1]/", "url_host"),
        ("https://[your-site].com/", "url_malformed"),
        ("https://*.shop.example.com/", "url_malformed"),
        ("https://999.1.1.1/", "url_malformed"),
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


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.Example:443/", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://例え。テスト", "https://xn--r8jz45g.xn--zckzah"),
        ("https://☕.example", "https://xn--53h.example"),  # no IDNA 2008 name, and browsers open it
        ("https://www.example.com:8443", "https://www.example.com:8443"),
        ("https://www.example.com.", "https://www.example.com"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_origin_has_the_one_spelling_that_browsers_send(typed, sent):
    assert normal_origin(typed) == sent
    assert normal_origin(sent) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "https://[your-site].com", "https://a b", "https://x.example:99999", "https://x.example:0", "https://*.com",
        "https://*.shop.example", "https://", "https:///", "https://@x.example", "https://a@x.example", "//x.example",
        "ftp://x.example", "https://x.example:port", "https://[::1", "https://[fe80::1%25eth0]", "https://1.2.3",
        "https://256.1.1.1", "https://x.0x7f", "https://xn--a.example", "https://x..example", "https://x\t.example",
        "https://x\u200b.example", "https:\\\\x.example", "https://-x.example", "https://" + "a" * 64 + ".example",
        "https://" + "a" * 60 + ("." + "a" * 60) * 4,
        "", "x.example", "\ud800", "https://\ud800.example", "https://x℀.example",
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_no_origin_and_no_click_host(typed):
    assert normal_origin(typed) is None
    assert not origin_hosts(typed)


_PIECES = st.sampled_from([
    "https://", "http:", "//", "[", "]", "*", ".", ":", "@", "/", "?", "#", "%", "{{", "}}", "{%", "xn--", "☕", "ß",
    "\ud800", "\x00", "x.example", "99999", "::1", " ", "\\", "。", "٣", "shop:",
])  # fmt: skip


@given(st.one_of(st.text(), st.lists(_PIECES).map("".join), st.lists(_PIECES).map("".join).map("https://".__add__)))
def test_nothing_typed_as_an_address_raises(typed):
    origin = normal_origin(typed)
    assert origin is None or normal_origin(origin) == origin
    for check in (check_click_url, check_deep_link):
        assert check(typed, hosts=HOSTS | {typed}, dev_origins=DEV | {typed}) in {
            None, *MESSAGES, "link_characters", "link_malformed", "link_scheme", "link_too_long",
        }  # fmt: skip


def test_a_website_on_a_port_of_its_own_is_a_click_host_with_that_port():
    hosts = origin_hosts("https://x.example:8443")
    assert hosts == {"x.example", "x.example:8443"}
    assert check_click_url("https://x.example:8443/a", hosts=hosts) is None
    assert check_click_url("https://x.example/a", hosts=hosts) is None
    assert check_click_url("https://x.example:8444/a", hosts=hosts) == "url_port"
    assert check_click_url("https://[::1]:8443/a", hosts=origin_hosts("https://[::1]:8443")) is None


def test_a_wildcard_over_a_top_level_domain_allows_nothing():
    assert check_click_url("https://anything.com/", hosts=frozenset({"*.com"})) == "url_host"


def test_a_host_that_cannot_be_read_hides_none_of_the_others():
    assert check_click_url("https://x.example/", hosts=frozenset({"*.a b", "a b", "x.example"})) is None
