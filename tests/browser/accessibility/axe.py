"""axe-core on pages that Django's own test client serves: no server runs, and the test's transaction holds it all."""

from collections.abc import Mapping, Sequence
from contextvars import copy_context
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Route, ViewportSize

from tests.browser.harness.chromium import DESKTOP
from tests.support.node import MODULES, clone_node

ORIGIN = "http://testserver"
PHONE: ViewportSize = {"width": 390, "height": 844}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Best practices of axe that are promises of ours, whatever weight axe gives them.
PROMISED = ["landmark-one-main", "list", "listitem", "link-in-text-block"]
COLOURS = ["color-contrast", "link-in-text-block"]
GRAVE = ("serious", "critical")
# Moving parts stand still: a colour in the middle of a transition is nobody's choice.
_STAND_STILL = """() => {
  const sheet = new CSSStyleSheet();  // which needs no permission of the page's policy
  sheet.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""

_RUN = """async ([tags, promised, only]) => {
  const found = await axe.run(document, {
    runOnly: only ? {type: 'rule', values: only} : {type: 'tag', values: tags},
    rules: only ? {} : Object.fromEntries(promised.map((rule) => [rule, {enabled: true}])),
    resultTypes: ['violations'],
  });
  return found.violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.map(({target, html, any}) => ({
      target: target.flat().join(' '), html: html.slice(0, 160), why: (any[0]?.message || '').slice(0, 160),
    })),
  }));
}"""
_IN_THE_DARK = "(on) => document.documentElement.classList.toggle('dark', on)"
MOST_OPENED = 40
# Opens the first thing that is not among those seen, and gives its name once the page has been drawn.
_OPEN = """async (seen) => {
  const kinds = 'summary, [aria-haspopup], [aria-expanded=false], button[type=button], .add-row a, [x-on\\\\:click]';
  const leads = (one) => one.closest('a[href^="/"], a[href^="?"], .sb');  // the rule builder has tests of its own
  const shown = (one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled && !leads(one);
  const words = (one) => (one.getAttribute('aria-label') || one.innerText || one.id || one.className).trim();
  const named = (one) => `${one.localName} ${words(one).replace(/\\s+/g, ' ').replace(/\\d+/g, '#').slice(0, 60)}`;
  const found = [...document.querySelectorAll(kinds)].find((one) => shown(one) && !seen.includes(named(one)));
  if (!found) return '';
  const name = named(found);
  found.focus();
  found.dispatchEvent(new MouseEvent('mousedown', {bubbles: true, cancelable: true}));
  found.dispatchEvent(new MouseEvent('mouseup', {bubbles: true}));
  found.click();
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  return name;
}"""


class Served:
    """Answers everything that the browser asks of ORIGIN with a test client; nothing else is reached."""

    def __init__(self, context: BrowserContext, client: Client) -> None:
        self.client = client
        # Playwright answers in a context of its own, in which Django would open another connection: outside the test's
        # transaction, where nobody is logged in.
        self._context = copy_context()
        self._kept: dict[str, dict[str, Any]] = {}
        context.route("**/*", self._answer)

    def keep(self, address: str, response: HttpResponse) -> None:
        """Answer this address with a response that is there already."""
        self._kept[address] = _fulfilment(response)

    def _answer(self, route: Route) -> None:
        request = route.request
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            route.abort()
            return
        address = parts.path + (f"?{parts.query}" if parts.query else "")
        if address in self._kept:
            route.fulfill(**self._kept[address])
            return
        found = self._context.copy().run(lambda: _fulfilment(self._ask(request, address)))
        if address.startswith("/static/"):
            self._kept[address] = found
        route.fulfill(**found)

    def _ask(self, request: Any, address: str) -> Any:
        headers = {name: value for name, value in request.headers.items() if name not in ("content-type", "cookie")}
        if request.method == "GET":
            return self.client.get(address, follow=True, headers=headers)
        kind = request.headers.get("content-type", "application/octet-stream")
        return self.client.post(address, request.post_data_buffer or b"", content_type=kind, headers=headers)


def _fulfilment(response: Any) -> dict[str, Any]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return {"status": response.status_code, "headers": dict(response.items()), "body": body}


def axe_source() -> str:
    """The script of the npm package in this clone."""
    clone_node()
    return (MODULES / "axe-core" / "axe.min.js").read_text()


def problems_on(page: Page, source: str, *, where: str) -> list[str]:
    """Return what axe finds grave or against a promise of ours: in light, in dark, and at the width of a phone."""
    page.evaluate(_STAND_STILL)
    page.evaluate(source)
    found = problems_now(page, where=where)
    page.set_viewport_size(PHONE)
    found += _words(f"{where}, phone", page.evaluate(_RUN, [TAGS, PROMISED, None]))
    page.set_viewport_size(DESKTOP)
    return found


def problems_now(page: Page, *, where: str) -> list[str]:
    """Return the same of a page that has axe already, as it stands, in light and in the colours of dark."""
    found = _words(f"{where}, light", page.evaluate(_RUN, [TAGS, PROMISED, None]))
    page.evaluate(_IN_THE_DARK, True)
    page.emulate_media(color_scheme="dark")
    found += _words(f"{where}, dark", page.evaluate(_RUN, [TAGS, PROMISED, COLOURS]))
    page.evaluate(_IN_THE_DARK, False)
    page.emulate_media(color_scheme="light")
    return found


def opened_problems(page: Page, seen: set[str], *, where: str) -> list[str]:
    """Open what the page can open and `seen` does not have yet, one after the other, and return what axe finds then.

    Menus, pickers, questions, folded parts, and buttons that add a row: one of each kind is opened once on all pages.
    """
    found: list[str] = []
    here = page.url
    for _ in range(MOST_OPENED):
        name = page.evaluate(_OPEN, list(seen))
        if not name:
            page.evaluate("localStorage.clear()")  # such as a folded sidebar and a chosen theme
            return found
        seen.add(name)
        if page.url != here:
            raise AssertionError(f"{where}: {name} leads to {page.url}; it is no opener")
        found += problems_now(page, where=f"{where}, opened {name}")
        page.keyboard.press("Escape")
    raise AssertionError(f"{where} opens more than {MOST_OPENED} things")


def _words(where: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each violation in a line, with a few of its places."""
    return [
        f"{where}: {one['id']} ({one['impact']}, {len(one['nodes'])} times) {one['help']}: "
        + " | ".join(f"{node['target']} {node['html']} [{node['why']}]" for node in one["nodes"][:3])
        for one in found
        if one["impact"] in GRAVE or one["id"] in PROMISED
    ]
