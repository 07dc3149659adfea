"""Stock Chromium through Playwright, with the DevTools commands that push tests need."""

import os
import shutil
import time
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import (
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    Playwright,
    ViewportSize,
    Worker,
)

from . import diagnostics
from .process import program, temporary_folder
from .sites import INSECURE_HOST
from .waiting import PATIENCE_SECONDS, POLL_SECONDS, wait_until

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
]

HAND_OVER = """async (text) => {
  const event = new PushEvent('push', {data: text}), work = [];
  event.waitUntil = (one) => work.push(one);
  self.dispatchEvent(event);
  await Promise.all(work);
}"""
NOTIFICATIONS = """async () => {
  const registrations = await navigator.serviceWorker.getRegistrations();
  const lists = await Promise.all(registrations.map((one) => one.getNotifications()));
  return lists.flat().map((one) => ({
    title: one.title, body: one.body, tag: one.tag, icon: one.icon, image: one.image, badge: one.badge,
    renotify: one.renotify, requireInteraction: one.requireInteraction, data: one.data,
    actions: one.actions.map((action) => ({action: action.action, title: action.title, icon: action.icon})),
  }));
}"""


class Chromium:
    """A running Chromium with a new profile; `context` and `page` are Playwright's own objects."""

    def __init__(
        self,
        playwright: Playwright,
        *,
        dbus_address: str | None = None,
        size: Literal["desktop", "phone"] = "desktop",
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        locale: str = "en-GB",
        flags: tuple[str, ...] = (),
    ) -> None:
        self.console: list[str] = []
        self._folder = temporary_folder("chromium")
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "LANG": "C.UTF-8",
            "DBUS_SESSION_BUS_ADDRESS": dbus_address or "disabled:",
        }
        try:
            self.context: BrowserContext = playwright.chromium.launch_persistent_context(
                str(self._folder / "profile"),
                executable_path=program("chromium"),
                # Our flags choose the headless mode; Playwright's own choice would add the old one's quirks.
                headless=False,
                args=[*FLAGS, *flags],
                env=env,
                viewport=PHONE if size == "phone" else DESKTOP,
                has_touch=size == "phone",
                device_scale_factor=2 if size == "phone" else 1,
                color_scheme=color_scheme,
                reduced_motion=reduced_motion,
                locale=locale,
                timeout=PATIENCE_SECONDS * 1000,
            )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.context.on("console", self._log)
        self.context.on("weberror", lambda problem: self.console.append(f"[uncaught] {problem.error}"))
        self.page: Page = self.context.pages[0]
        self._browser_cdp = self.context.new_cdp_session(self.page)
        diagnostics.watch(self)

    def _log(self, message: ConsoleMessage) -> None:
        self.console.append(f"[{message.type}] {message.text}")

    def set_permission(
        self,
        origin: str,
        state: Literal["granted", "denied", "prompt"],
        *,
        names: tuple[str, ...] = ("notifications", "push"),
    ) -> None:
        """Set an origin's permission for notifications and for (user-visible) push."""
        for name in names:
            descriptor: dict[str, Any] = {"name": name}
            if name == "push":
                descriptor["userVisibleOnly"] = True
            self._browser_cdp.send(
                "Browser.setPermission", {"permission": descriptor, "setting": state, "origin": origin}
            )

    def deliver_push(self, page: Page, data: str, *, scope: str = "/", timeout: float = PATIENCE_SECONDS) -> None:
        """Hand `data` to the `push` event of the page's service worker with this scope (path or URL).

        Waits for the worker to be active: before that Chromium drops the message without a word.
        """
        origin = page.evaluate("location.origin")
        wanted = scope if "://" in scope else origin + scope
        cdp = self.context.new_cdp_session(page)
        try:
            registration = self._registration(cdp, page, wanted, timeout)
            cdp.send(
                "ServiceWorker.deliverPushMessage",
                {"origin": origin, "registrationId": registration, "data": data},
            )
        finally:
            cdp.detach()

    def _registration(self, cdp: CDPSession, page: Page, scope: str, timeout: float) -> str:
        found: dict[str, str] = {}
        versions: dict[str, dict[str, Any]] = {}

        def note(update: dict[str, Any]) -> None:
            for one in update["registrations"]:
                if one["isDeleted"]:
                    found.pop(one["scopeURL"], None)
                else:
                    found[one["scopeURL"]] = one["registrationId"]

        def note_versions(update: dict[str, Any]) -> None:
            versions.update((one["versionId"], one) for one in update["versions"])

        def active() -> set[str]:
            return {one["registrationId"] for one in versions.values() if one["status"] == "activated"}

        cdp.on("ServiceWorker.workerRegistrationUpdated", note)
        cdp.on("ServiceWorker.workerVersionUpdated", note_versions)
        cdp.send("ServiceWorker.enable")
        deadline = time.monotonic() + timeout
        while found.get(scope) not in active():
            if time.monotonic() >= deadline:
                raise AssertionError(f"no active worker of scope {scope} in {timeout:g} s, but {found}, {versions}")
            page.wait_for_timeout(POLL_SECONDS * 1000)
        return found[scope]

    def notifications(self, page: Page) -> list[dict[str, Any]]:
        """The notifications on the screen for the page's origin, with everything a page can read of them.

        Wait for the desktop's notification first: asked while it is on its way to the screen, Chromium takes
        it for one that was closed and forgets it.
        """
        return list(page.evaluate(NOTIFICATIONS))

    def service_worker(self, *, url_part: str = "", timeout: float = PATIENCE_SECONDS) -> Worker:
        """The running service worker whose script URL contains `url_part`; it has Playwright's evaluate."""
        deadline = time.monotonic() + timeout
        while True:
            for worker in self.context.service_workers:
                if url_part in worker.url:
                    return worker
            if time.monotonic() >= deadline:
                raise AssertionError(f"no service worker at ...{url_part} within {timeout:g} s")
            self.page.wait_for_timeout(POLL_SECONDS * 1000)

    def hand_over(self, text: str, *, url_part: str) -> None:
        """Give a service worker the plaintext of a push, as the browser does with a message of its push service.

        Chromium's own test call sometimes drops the message without a word. A made event cannot prolong the worker's
        life, so what the handler waits for is awaited here.
        """
        self.service_worker(url_part=url_part).evaluate(HAND_OVER, text)

    def wait_page(self, url: str, *, timeout: float = PATIENCE_SECONDS) -> Page:
        """Return the page that shows this address, whoever opened it and whenever; it may still be loading.

        Looks at what is there instead of waiting for an event: while Playwright attaches to a new window, that
        window's `load` can pass unseen, and `wait_for_url` then waits for it in vain. A window that closes at once is
        never told of at all: ask the page that opened it.
        """

        def look() -> Page | None:
            self.page.wait_for_timeout(POLL_SECONDS * 1000)
            return next((page for page in self.context.pages if page.url == url), None)

        found = wait_until(look, timeout=timeout, what=f"a page at {url}", detail=self._addresses)
        assert found is not None
        return found

    def _addresses(self) -> str:
        return "\n".join(["open pages:", *(page.url for page in self.context.pages)])

    def screenshot(self, path: Path, *, page: Page | None = None) -> Path:
        """Save what the viewport shows as PNG and return the path."""
        (page or self.page).screenshot(path=path)
        return path

    def describe(self) -> str:
        """The console of pages and workers."""
        return "\n".join(["--- Chromium console:", *self.console[-60:]])

    def picture(self, path: Path) -> None:
        """Save a screenshot of every page."""
        for number, page in enumerate(self.context.pages):
            page.screenshot(path=path.with_name(f"{path.name}-page{number}.png"), timeout=3000)

    def close(self) -> None:
        """Close the browser and remove its profile."""
        diagnostics.unwatch(self)
        try:
            self.context.close()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
