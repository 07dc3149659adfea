"""The list that the page and the command show: each check with its state, its time and what to do."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urljoin

from django.conf import settings

from devices.brands.models import App
from devices.delivery.models import Delivery, Dispatch
from devices.delivery.words import DELIVERY_REASONS
from devices.installations.models import Device
from devices.lifecycle.site_check.checking import DEFAULT_WORKER, SiteSeen
from devices.lifecycle.site_check.policy import missing_sources, policies_split
from devices.lifecycle.site_check.refused import SHOWN, Refusal, refusals_of
from smartpush.common.addresses.origins import normal_origin

NEWEST = 200
"""How many of the newest installations are looked at for a session: a large site answers at once."""
TEST_DAYS = 7


# A comment of JavaScript, as far as text can tell: `//` behind a quote or a colon is a part of an address.
_COMMENT = re.compile(r"/\*.*?\*/|(?:^|(?<=[\s;{}(),]))//[^\n]*", re.S)


class State(StrEnum):
    """How a check stands; `waiting` is for what a person still has to do, `unknown` for what cannot be seen.

    `note` is for what outsiders may have brought about: it never fails a build.
    """

    GOOD = "good"
    WRONG = "wrong"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Ways:
    """How a reader of the list does what it advises, as whole sentences: a page has fields, a command arguments."""

    another_page: str
    send_test: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    key: str
    title: str
    state: State
    text: str
    fix: str = ""
    at: datetime | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """The newest session and subscription of the website's visitors, and the last test push."""

    session_at: datetime | None
    subscribed_at: datetime | None
    subscriber: Device | None
    test: Delivery | None
    refusals: tuple[Refusal, ...] = ()


def test_key(app: App) -> str:
    """How dispatches of this website's test pushes are named, up to what makes each unique."""
    return f"check:{app.pk}:"


def live_of(*, app: App, now: datetime) -> Live:
    """Read what the newest installations of a website have reported."""
    newest = Device.objects.filter(app=app).order_by("-pk").values_list("last_seen_at", flat=True)[:NEWEST]
    seen = max(newest, default=None)
    subscribed = Device.objects.filter(app=app, token_hash__isnull=False, token_at__isnull=False)
    subscriber = subscribed.select_related("holder").order_by("-token_at", "-pk").first()
    days = [(now - timedelta(days=back)).date() for back in range(TEST_DAYS)]
    dispatch = (
        Dispatch.objects.filter(brand_id=app.brand_id, day__in=days, source_key__startswith=test_key(app))
        .order_by("-pk")
        .first()
    )
    test = None if dispatch is None else Delivery.objects.filter(dispatch=dispatch, day=dispatch.day).first()
    refusals = tuple(refusals_of(brand=app.brand, near=app.origin))
    return Live(seen, subscriber.token_at if subscriber else None, subscriber, test, refusals)


def findings_of(*, app: App, seen: SiteSeen, live: Live, ways: Ways) -> list[Finding]:
    """Turn what was found into findings, in the order in which a site is integrated."""
    return [
        _page(app, seen, ways),
        _script(seen, live),
        _key(app, seen, live),
        _origins(live),
        _worker(seen),
        _policy(seen),
        _session(live),
        _subscription(live),
        _test(live, ways),
    ]


def _page(app: App, seen: SiteSeen, ways: Ways) -> Finding:
    title = "The website answers at its origin"
    if app.archived_at is not None:
        return Finding(
            "page",
            title,
            State.WRONG,
            "The website is archived: its calls are refused.",
            "Restore it on its own page, under Settings, Apps.",
            app.archived_at,
        )
    if seen.page is None:
        fix = f"Is {seen.origin} the origin that browsers show? {ways.another_page}"
        return Finding("page", title, State.WRONG, f"{seen.page_url}: {seen.page_problem}", fix, seen.at)
    origin = normal_origin(seen.page.url) or seen.page.url
    if origin != seen.origin:
        text = f"{seen.origin} redirects to {origin}, so that browsers name that as their origin."
        return Finding("page", title, State.WRONG, text, f"Add {origin} as a website of this brand.", seen.at)
    if seen.page.status >= 400:
        text = f"{seen.page_url} answers {seen.page.status}."
        return Finding("page", title, State.WRONG, text, ways.another_page, seen.at)
    return Finding("page", title, State.GOOD, f"{seen.page.url} answers.", "", seen.at)


def _script(seen: SiteSeen, live: Live) -> Finding:
    title = "The script is on the page"
    server = settings.SMARTPUSH_PUBLIC_URL
    loaded = urljoin(seen.page_url, seen.read.script)
    if seen.read.script and normal_origin(loaded) != normal_origin(server):
        text = f"It loads {seen.read.script}, which is not of this server."
        return Finding("script", title, State.WRONG, text, f"Load {server}/sdk/v1/smartpush.js.", seen.at)
    if seen.read.script:
        return Finding("script", title, State.GOOD, f"It loads {seen.read.script}.", "", seen.at)
    if live.session_at is not None:
        unread = seen.page is None or seen.page.status >= 400
        why = (
            "The page itself could not be read."
            if unread
            else "The page's markup does not show it: a tag manager or a bundle brings it."
        )
        text = f"A visitor's browser has run it. {why}"
        return Finding("script", title, State.GOOD, text, "", live.session_at)
    if seen.page is None:
        return Finding("script", title, State.UNKNOWN, "The page could not be read.", "", seen.at)
    text = "The page's markup does not name it, and no browser has run it yet."
    fix = "Put the snippet into every page. Where a tag manager brings it, open the website once."
    return Finding("script", title, State.WAITING, text, fix, seen.at)


def _key(app: App, seen: SiteSeen, live: Live) -> Finding:
    title = "Key and server are right"
    key, host = app.brand.public_key, settings.SMARTPUSH_PUBLIC_URL
    if seen.read.brand and seen.read.brand != key:
        text = f"init is given the brand {seen.read.brand}, which is not {app.brand}."
        return Finding("key", title, State.WRONG, text, f"Write brand: '{key}'.", seen.at)
    if seen.read.host and not re.match(r"https?://", seen.read.host, re.I):
        text = f"init is given the host {seen.read.host}, which is no whole address."
        return Finding("key", title, State.WRONG, text, f"Write host: '{host}'.", seen.at)
    if seen.read.host and not _same_address(seen.read.host, host):
        text = f"init is given the host {seen.read.host}, and this server is {host}."
        return Finding("key", title, State.WRONG, text, f"Write host: '{host}'.", seen.at)
    if live.session_at is not None:
        return Finding("key", title, State.GOOD, "Calls with this key and origin are taken.", "", live.session_at)
    if seen.read.brand:
        return Finding("key", title, State.GOOD, "init is given this brand's key.", "", seen.at)
    return Finding("key", title, State.WAITING, "Nothing has called with this key and origin yet.", "", seen.at)


def _same_address(given: str, host: str) -> bool:
    """Whether `init` is given this server's address, however it is spelled."""
    path = given.partition("://")[2].partition("/")[2]
    return normal_origin(given) == normal_origin(host) and not path.strip("/")


def _origins(live: Live) -> Finding:
    title = "No other origin is refused"
    if not live.refusals:
        return Finding("origins", title, State.GOOD, "No call was refused for its origin in the last seven days.")
    shown = live.refusals[:SHOWN]
    more = f" The first {SHOWN} of {len(live.refusals)}:" if len(live.refusals) > SHOWN else ""
    if live.session_at is None:
        text = f"Calls with this brand's key were refused, and none was taken from this website.{more}"
        return Finding("origins", title, State.WAITING, text, refusals=shown)
    text = f"Calls with this brand's key were refused, besides those that are taken. Anybody can make such calls.{more}"
    return Finding("origins", title, State.NOTE, text, refusals=shown)


def _worker(seen: SiteSeen) -> Finding:
    title = "The service worker file is at its address"
    url, answer = seen.worker_url, seen.worker
    put = f'Put a file there that holds the line importScripts("{settings.SMARTPUSH_PUBLIC_URL}/sdk/v1/sw.js").'

    def wrong(text: str, fix: str = put) -> Finding:
        return Finding("worker", title, State.WRONG, f"{url} {text}", fix, seen.at)

    if answer is None:
        return wrong(f"cannot be fetched: {seen.worker_problem}")
    if 300 <= answer.status < 400:
        return wrong("redirects, and browsers refuse a service worker that does.", "Serve the file at that address.")
    if answer.status != 200:
        named = seen.read.worker and url.endswith(seen.read.worker) and not url.endswith(DEFAULT_WORKER)
        other = f" init names this path; the usual one is {DEFAULT_WORKER}." if named else ""
        return wrong(f"answers {answer.status}.{other}")
    kind = answer.header("content-type")
    if not re.search(r"(?:java|ecma)script", kind, re.I):
        text = f"is served as “{kind or 'nothing'}”, as pages for missing addresses often are."
        return wrong(text, f"{put} Serve it as text/javascript.")
    bare = _COMMENT.sub(" ", answer.text).strip()
    if not bare:
        return wrong("is empty.")
    imported = re.search(r"['\"`](https?://[^'\"`\s]*?)/sdk/v1/sw\.js", bare, re.I)
    if imported and not _same_address(imported[1], settings.SMARTPUSH_PUBLIC_URL):
        return wrong(f"imports the part of {imported[1]}, not of this server.")
    if not re.search(r"/sdk/v1/sw\.js|smartpush", bare, re.I):
        if re.search(r"\bimport(?:Scripts)?\b", bare):
            text = f"{url} does not name our part itself. If a file that it imports does, all is well."
            return Finding("worker", title, State.UNKNOWN, text, "", seen.at)
        return wrong("does not import our part.", "Add that line before your own handlers, or name another file.")
    return Finding("worker", title, State.GOOD, f"{url} imports our part.", "", seen.at)


def _policy(seen: SiteSeen) -> Finding:
    title = "The Content Security Policy lets it work"
    if seen.page is None:
        return Finding("policy", title, State.UNKNOWN, "The page could not be read.", "", seen.at)
    policies = policies_split([*seen.page.headers.get("content-security-policy", []), *seen.read.policies])
    if not policies:
        return Finding("policy", title, State.GOOD, "The page has none.", "", seen.at)
    host = seen.read.host or settings.SMARTPUSH_PUBLIC_URL
    missing = missing_sources(
        policies,
        host=host.rstrip("/"),
        origin=seen.origin,
        script_nonce=seen.read.script_nonce,
        inline=seen.read.snippet,
        inline_nonce=seen.read.snippet_nonce,
    )
    if missing:
        fix = f"Add to it: {'; '.join(missing)}."
        return Finding("policy", title, State.WRONG, "The page's policy stops the SDK.", fix, seen.at)
    return Finding("policy", title, State.GOOD, "The page's policy allows what is needed.", "", seen.at)


def _session(live: Live) -> Finding:
    title = "A visitor's browser has called"
    if live.session_at is None:
        fix = "Open the website in a browser. The console says what is wrong, in one line."
        return Finding("session", title, State.WAITING, "No session has come from it yet.", fix)
    return Finding("session", title, State.GOOD, "The newest session.", "", live.session_at)


def _subscription(live: Live) -> Finding:
    title = "A browser has subscribed"
    if live.subscriber is None:
        fix = (
            "Allow notifications on the website: activate the ready journey that asks, or type"
            " smartpush('requestPushPermission') in a click handler."
        )
        return Finding("subscription", title, State.WAITING, "No browser has allowed pushes yet.", fix)
    return Finding("subscription", title, State.GOOD, f"The newest: {live.subscriber}.", "", live.subscribed_at)


def _test(live: Live, ways: Ways) -> Finding:
    title = "A test push was displayed"
    test = live.test
    if test is None:
        return Finding("test", title, State.WAITING, "None was sent in the last seven days.", ways.send_test)
    if test.displayed_at is not None:
        return Finding("test", title, State.GOOD, "The browser says that it was displayed.", "", test.displayed_at)
    if test.state == Delivery.State.ACCEPTED:
        text = "The push service has taken it; the browser has not said yet that it was displayed."
        fix = (
            "Is the browser running, and does the operating system show its notifications? A browser that shows it and"
            " does not say so cannot reach this server from its service worker."
        )
        return Finding("test", title, State.WAITING, text, fix, test.finished_at)
    if test.state in (Delivery.State.READY, Delivery.State.SENDING):
        why = f" It waits: {DELIVERY_REASONS.of(test.hold_reason)}." if test.hold_reason else ""
        fix = "If that takes longer than some seconds, the workers are not running."
        return Finding("test", title, State.WAITING, f"It is on its way.{why}", fix, test.created_at)
    reason = f": {DELIVERY_REASONS.of(test.reason)}" if test.reason else ""
    fix = f"Open the website again, so that the browser subscribes anew. {ways.send_test}"
    return Finding(
        "test",
        title,
        State.WRONG,
        f"It was not sent ({test.get_state_display().lower()}{reason}).",
        fix,
        test.finished_at,
    )
