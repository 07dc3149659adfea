"""Under a strict Content Security Policy the SDK loads, subscribes and draws, and nothing is reported against it."""

from typing import Any

import pytest

from tests.browser.conftest import FirefoxFactory, SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.sites import Page, Site
from tests.browser.harness.waiting import wait_until
from tests.browser.sdk.conftest import SUBSCRIBE, init
from tests.browser.sdk.fake_api import FakeApi

from .conftest import eventually, ours, run

NONCE, STYLE_NONCE = "cmFuZG9tLW9uY2U", "c3R5bGUtb25jZQ"
WATCH = (
    "window.violations = [];"
    "document.addEventListener('securitypolicyviolation', ({violatedDirective, blockedURI}) =>"
    " violations.push(violatedDirective + ' ' + blockedURI));"
)
# docs/web/csp.md gives this policy to a site that asks for Trusted Types.
TRUSTED = (
    "const worker = new URL('/push/smartpush-sw.js', location.href).href;"
    "if (window.trustedTypes) trustedTypes.createPolicy('default', {createScriptURL: (url) =>"
    " new URL(url, location.href).href === worker ? url : null});"
)
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'><rect width='64' height='64'/></svg>"
VIEW = (
    "(() => { const {shadowRoot} = document.querySelector('smartpush-popup');"
    " const card = getComputedStyle(shadowRoot.querySelector('.card'));"
    " const primary = getComputedStyle(shadowRoot.querySelector('.primary'));"
    " return [card.position, card.borderTopLeftRadius, primary.backgroundColor, primary.minHeight,"
    " shadowRoot.querySelectorAll('img').length]; })()"
)
STYLED = ["relative", "16px", "rgb(36, 87, 214)", "44px", 1]


def policy(api: FakeApi, images: Site, **changes: str) -> dict[str, str]:
    """The header of docs/web/csp.md."""
    rules = {
        "default-src": "'none'",
        "script-src": f"'nonce-{NONCE}' {api.host}",
        "connect-src": api.host,
        "worker-src": "'self'",
        "img-src": f"'self' {images.origin}",
        "style-src": "'none'",
        "base-uri": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "default",
        "report-uri": "/reported",
        **changes,
    }
    return {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in rules.items())}


def strict_page(api: FakeApi, script: str, headers: dict[str, str], nonce: str = NONCE) -> Page:
    body = (
        "<!doctype html><html lang=en><title>Strict</title>"
        f"<script nonce={NONCE}>{WATCH}{TRUSTED}{script}</script>"
        f"<script nonce={nonce} src='{api.host}/sdk/v1/smartpush.js' async></script><body><h1>Strict</h1>"
    )
    return Page(body, headers)


@pytest.fixture
def strict_site(api: FakeApi, static_site: SiteFactory) -> Site:
    """A site whose page and whose worker file each have a policy of their own."""
    images = static_site({"/icon.svg": PICTURE})
    api.offer(image=images.url("/icon.svg"))
    of_worker = f"default-src 'none'; script-src {api.host}; connect-src {api.host}; report-uri /reported"
    with_style_nonce = policy(api, images, **{"style-src": f"'nonce-{STYLE_NONCE}'"})
    return static_site(
        {
            "/": strict_page(api, init(api), policy(api, images)),
            "/old": strict_page(api, init(api, nonce=STYLE_NONCE), with_style_nonce),
            "/push/smartpush-sw.js": Page(
                f"importScripts('{api.host}/sdk/v1/sw.js');", {"Content-Security-Policy": of_worker}
            ),
        }
    )


def reported(site: Site) -> list[Any]:
    """The violations that a browser has reported to the site."""
    return [one.body for one in site.requests if one.path == "/reported"]


def test_a_strict_policy_lets_everything_of_ours_through_and_nothing_is_reported(
    chromium: Chromium, api: FakeApi, strict_site: Site, desktop: Desktop
):
    page = chromium.page
    page.goto(strict_site.url())
    page.wait_for_selector("smartpush-popup .card")
    assert page.evaluate(VIEW) == STYLED
    assert (page.evaluate("violations"), reported(strict_site)) == ([], [])

    # A browser without constructed style sheets carries the nonce that init was given.
    page.click("smartpush-popup .later")
    eventually(page, lambda: api.named("popups/outcome"), what="the outcome")
    api.offer(image=api.offers[0]["content"]["image"])
    chromium.context.add_init_script("delete CSSStyleSheet.prototype.replaceSync")
    chromium.context.add_init_script(SUBSCRIBE)
    page.goto(strict_site.url("/old"))
    page.wait_for_selector("smartpush-popup .card")
    assert page.evaluate(VIEW) == STYLED
    assert page.evaluate("document.querySelector('smartpush-popup').shadowRoot.querySelectorAll('style').length") == 1

    # The worker's part runs under the policy of its own file.
    chromium.set_permission(strict_site.origin, "granted")
    page.reload()
    eventually(page, lambda: run(page, "'getStatus'").get("status") == "allowed", what="the subscription")
    chromium.deliver_push(page, ours(api), scope="/push/")
    desktop.wait_notification(predicate=lambda one: one.summary == "Ours")
    eventually(page, lambda: api.reports, what="the report")
    assert (page.evaluate("violations"), reported(strict_site)) == ([], [])

    # What is forbidden would have been noticed.
    page.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a {}'}))")
    eventually(page, lambda: page.evaluate("violations.length") and reported(strict_site), what="a violation")


def test_in_firefox_a_strict_policy_lets_everything_of_ours_through(
    firefox_factory: FirefoxFactory, api: FakeApi, strict_site: Site
):
    tab = firefox_factory().open(strict_site.url())
    tab.wait("document.querySelector('smartpush-popup')?.shadowRoot.querySelector('.card')?.tagName")
    assert tab.evaluate(VIEW) == STYLED
    (session,) = api.named("session")
    assert (session.body["push"]["status"], session.body["push"]["reason"]) == ("ask", "")
    assert (tab.evaluate("violations"), reported(strict_site)) == ([], [])
    tab.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a {}'}))")
    wait_until(lambda: tab.evaluate("violations.length"), what="a violation")
