import pytest

from smartpush.common.addresses.deep_links import MESSAGES, check_deep_link, is_allowed_deep_link

HOSTS = frozenset({"shop.example"})


@pytest.mark.parametrize(
    "link",
    [
        "myshop://orders/12",
        "com.example.shop://cart",
        "https://shop.example/orders/12",
        "myshop://{{ user.page }}",
    ],
)
def test_an_app_may_be_handed_its_own_scheme_or_the_brand_s_https_address(link):
    assert check_deep_link(link, hosts=HOSTS) is None


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("javascript:alert(1)", "link_scheme"),
        ("intent://scan/#Intent;scheme=zxing;end", "link_scheme"),
        ("tel:112", "link_scheme"),
        ("googlechrome://evil.example/", "link_scheme"),
        ("GoogleChromes://evil.example/", "link_scheme"),
        ("x-safari-https://evil.example/", "link_scheme"),
        ("firefox://open-url?url=https://evil.example/", "link_scheme"),
        ("microsoft-edge-https://evil.example/", "link_scheme"),
        ("shortcuts://run-shortcut?name=x", "link_scheme"),
        ("file:///etc/passwd", "link_scheme"),
        ("http://shop.example/", "link_scheme"),
        ("{{ user.link }}", "link_malformed"),
        ("orders/12", "link_malformed"),
        ("", "link_malformed"),
        ("myshop:", "link_malformed"),
        ("JavaScript:alert(1)", "link_scheme"),
        (" myshop://a", "link_characters"),
        ("myshop://a\nb", "link_characters"),
        ("myshop://" + "a" * 1000, "link_too_long"),
        ("https://evil.example/", "url_host"),
    ],
)
def test_what_the_system_would_run_or_call_is_refused(link, code):
    assert check_deep_link(link, hosts=HOSTS) == code
    assert not code.startswith("link") or code in MESSAGES


def test_a_rendered_link_holds_no_template_any_more():
    assert is_allowed_deep_link("myshop://orders/12", hosts=HOSTS)
    assert not is_allowed_deep_link("myshop://{{ user.page }}", hosts=HOSTS)
