"""Stock firefox-esr, headless, with a profile of its own, a real push connection and a real prompt."""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import diagnostics
from .bidi import Bidi, BidiError, evaluation
from .firefox_prefs import Pref, write_user_js
from .process import Child, program, temporary_folder
from .tab import Tab
from .waiting import PATIENCE_SECONDS, wait_until

BROWSER_WINDOW = "chrome://browser/content/browser.xhtml"
PERMISSION = {"granted": 1, "ask": 0}
LISTENING = r"WebDriver BiDi listening on (ws://\S+)"

# The open permission prompt of a browser window, or nothing.
PROMPT = """(() => {
  const popup = window.PopupNotifications;
  if (!popup || popup.panel.state !== 'open' || !popup.panel.firstElementChild) return null;
  const shown = popup.panel.firstElementChild.notification;
  return {id: shown.id, origin: shown.options.name || '', message: String(shown.message || '')};
})()"""

# Firefox keeps a question back while its window is not in front: the person who is to answer it goes there first.
GO_THERE = """(() => {
  if (!window.PopupNotifications || Services.focus.activeWindow === window) return false;
  if (!PopupNotifications._currentNotifications.some((one) => one.id === 'web-notifications')) return false;
  window.focus();
  return true;
})()"""

# What decides whether a question is shown, for the failure of a test that waits for one.
ABOUT_PROMPT = """JSON.stringify({
  active: Services.focus.activeWindow === window, visible: document.visibilityState,
  panel: window.PopupNotifications?.panel.state,
  asked: window.PopupNotifications?._currentNotifications.map((one) => one.id),
  tab: window.gBrowser?.currentURI.spec, minimised: window.windowState === window.STATE_MINIMIZED,
})"""

# `dismiss` does what the cross of Firefox's other prompts does. A permission prompt has no cross and is persistent:
# merely hidden it comes straight back, so it has to stop being persistent too.
ANSWERS = {
    "allow": "PopupNotifications.panel.firstElementChild?.button.click()",
    "block": "PopupNotifications.panel.firstElementChild?.secondaryButton.click()",
    "escape": """window.dispatchEvent(
      new KeyboardEvent('keypress', {key: 'Escape', keyCode: 27, bubbles: true, cancelable: true}))""",
    "dismiss": """(() => {
      const shown = PopupNotifications.panel.firstElementChild?.notification;
      if (!shown) return;
      shown.options.persistent = false;
      PopupNotifications.panel.hidePopup();
    })()""",
}
ANSWER_AGAIN_SECONDS = 0.5
START_ATTEMPTS = 3

CLEAR_SITE_DATA = """new Promise((done, failed) => {
  const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(%s);
  Services.clearData.deleteDataFromPrincipal(
    principal, true, Ci.nsIClearDataService.CLEAR_COOKIES_AND_SITE_DATA,
    (problems) => problems ? failed(new Error('cannot clear: ' + problems)) : done(true));
})"""

CLEAR_PERMISSION = """(() => {
  const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(%s);
  Services.perms.removeFromPrincipal(principal, 'desktop-notification');
})()"""


@dataclass(frozen=True)
class LogLine:
    """One console entry of a page."""

    level: str
    text: str
    context: str | None
    at: float
    """`time.time()` when it arrived, in seconds."""


class Firefox:
    """A running Firefox; notifications are asked for (`ask`) or granted everywhere (`granted`)."""

    def __init__(
        self,
        *,
        push_url: str,
        dbus_address: str | None,
        prompt: Literal["ask", "granted"] = "ask",
        viewport: tuple[int, int] | None = None,
        prefs: Mapping[str, Pref] | None = None,
        startup_cache: Path | None = None,
    ) -> None:
        self.viewport = viewport
        self._startup_cache = startup_cache
        self.console: list[LogLine] = []
        self._dbus_address = dbus_address
        self._folder = temporary_folder("firefox")
        self._profile = self._folder / "profile"
        self._profile.mkdir()
        write_user_js(
            profile=self._profile,
            prefs={
                "dom.push.serverURL": push_url,
                "permissions.default.desktop-notification": PERMISSION[prompt],
                "alerts.useSystemBackend": dbus_address is not None,
                **(prefs or {}),
            },
        )
        if startup_cache and startup_cache.exists():
            shutil.copytree(startup_cache, self._profile, dirs_exist_ok=True)
        diagnostics.watch(self)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        """Start the process and connect; a browser that ends before it listens is started again, as by a user."""
        for attempt in range(1, START_ATTEMPTS + 1):
            self._launch()
            try:
                self._connect()
            except Exception:
                # Seen once in some hundred starts of Debian's build on a busy machine, with nothing printed; what is
                # raised depends on how far it came.
                if self._child.running or attempt == START_ATTEMPTS:
                    raise
                self._end_process()
            else:
                return

    def _launch(self) -> None:
        env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "LANG": "C.UTF-8",
            "MOZ_HEADLESS": "1",
            "MOZ_CRASHREPORTER_DISABLE": "1",
            "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1",
            "DBUS_SESSION_BUS_ADDRESS": self._dbus_address or "disabled:",
        }
        self._child = Child(
            [
                program("firefox-esr"),
                "--headless",
                "--no-remote",
                "--profile",
                str(self._profile),
                "--remote-debugging-port=0",
                "--remote-allow-system-access",
                "about:blank",
            ],
            name="firefox-esr",
            env=env,
        )

    def _connect(self) -> None:
        address = self._child.wait_line(pattern=LISTENING, timeout=PATIENCE_SECONDS).group(1)
        self.bidi = Bidi(f"{address}/session")
        self.bidi.subscribe("log.entryAdded", self._log)
        # The first tab stays: closing the last one ends the browser, and "no page open" is a test case.
        self._keeper = wait_until(
            self._contexts, timeout=PATIENCE_SECONDS, what="the first tab", detail=self._child.tail
        )[0]

    def _log(self, entry: dict[str, Any]) -> None:
        text = entry.get("text") or ""
        context = entry.get("source", {}).get("context")
        self.console.append(LogLine(str(entry.get("level")), text, context, time.time()))

    def _contexts(self) -> list[str]:
        return [tab["context"] for tab in self.bidi.command("browsingContext.getTree", {"maxDepth": 0})["contexts"]]

    @property
    def pid(self) -> int:
        """The process id of the browser, which is its process group too."""
        return self._child.pid

    @property
    def tabs(self) -> list[Tab]:
        """The tabs that tests or service workers opened, oldest first."""
        return [Tab(self, context) for context in self._contexts() if context != self._keeper]

    def open(self, url: str, *, user_context: str | None = None, background: bool = False, window: bool = False) -> Tab:
        """Open a tab (or a window), wait for the page's load event and return the tab."""
        params: dict[str, Any] = {"type": "window" if window else "tab", "background": background}
        if user_context is not None:
            params["userContext"] = user_context
        tab = Tab(self, self.bidi.command("browsingContext.create", params)["context"])
        if self.viewport:
            tab.set_viewport(*self.viewport)
        tab.goto(url)
        return tab

    def wait_tab(self, url_part: str, *, timeout: float = PATIENCE_SECONDS) -> Tab:
        """Return the first tab whose address contains `url_part`, waiting for it to open."""

        def find() -> Tab | None:
            # A tab may close between the listing and the question for its address.
            with contextlib.suppress(BidiError):
                return next((tab for tab in self.tabs if url_part in tab.url), None)
            return None

        found = wait_until(find, timeout=timeout, what=f"a tab at ...{url_part}", detail=self.describe)
        assert found is not None
        return found

    def close_tabs(self) -> None:
        """Close every tab but the empty one that keeps the browser alive."""
        for tab in self.tabs:
            tab.close()

    def user_context(self) -> str:
        """Make a container: storage, workers, permissions, subscriptions of its own; gone after a restart."""
        return str(self.bidi.command("browser.createUserContext")["userContext"])

    def chrome(self, js: str, *, context: str | None = None) -> Any:
        """Evaluate script with the browser's own rights, in its window; promises are awaited."""
        target = context or self._windows()[0]
        return evaluation(
            self.bidi.command(
                "script.evaluate", {"expression": js, "target": {"context": target}, "awaitPromise": True}
            )
        )

    def _windows(self) -> list[str]:
        tree = self.bidi.command("browsingContext.getTree", {"moz:scope": "chrome", "maxDepth": 0})["contexts"]
        return [window["context"] for window in tree if window["url"] == BROWSER_WINDOW]

    def permission_prompt(self) -> dict[str, str] | None:
        """The permission prompt that is open right now (its `id` and `message`), or None."""
        found = self._prompt_window()
        return found[1] if found else None

    def _prompt_window(self) -> tuple[str, dict[str, str]] | None:
        for window in self._windows():
            if prompt := self.chrome(PROMPT, context=window):
                return window, prompt
        return None

    def _prompt_reached(self) -> tuple[str, dict[str, str]] | None:
        """Return the prompt that is open, going to the window that keeps one back."""
        if found := self._prompt_window():
            return found
        for window in self._windows():
            self.chrome(GO_THERE, context=window)
        return None

    def _about_prompt(self) -> str:
        windows = [str(self.chrome(ABOUT_PROMPT, context=window)) for window in self._windows()]
        return "\n".join(["windows:", *windows, self.describe()])

    def answer_permission(
        self, answer: Literal["allow", "block", "escape", "dismiss"], *, timeout: float = PATIENCE_SECONDS
    ) -> dict[str, str]:
        """Wait for the browser's own permission prompt, answer it and return it once it is gone.

        `allow` and `block` click its buttons. `escape` is the key, which Firefox takes for *Always Block*.
        `dismiss` leaves the question open: the page's promise stays pending.
        """
        found = wait_until(
            self._prompt_reached, timeout=timeout, what="an open permission prompt", detail=self._about_prompt
        )
        assert found is not None
        window, prompt = found
        if prompt["id"] != "web-notifications":
            raise AssertionError(f"another prompt is open: {prompt}")
        answered_at = 0.0

        def gone() -> bool:
            nonlocal answered_at
            if self._prompt_window() is None:
                return True
            # Firefox ignores a click that comes before its window has the focus, so one may not be enough.
            if time.monotonic() - answered_at > ANSWER_AGAIN_SECONDS:
                self.chrome(ANSWERS[answer], context=window)
                answered_at = time.monotonic()
            return False

        wait_until(gone, timeout=PATIENCE_SECONDS, what=f"the prompt to take {answer!r}", detail=self.describe)
        return prompt

    def set_permission(
        self, origin: str, state: Literal["granted", "denied", "prompt"], *, user_context: str | None = None
    ) -> None:
        """Set an origin's notification permission as the site-information panel does."""
        params: dict[str, Any] = {"descriptor": {"name": "notifications"}, "state": state, "origin": origin}
        if user_context is not None:
            params["userContext"] = user_context
        self.bidi.command("permissions.setPermission", params)

    def clear_permission(self, origin: str) -> None:
        """Forget an origin's notification permission; the default of the profile counts again."""
        self.chrome(CLEAR_PERMISSION % json.dumps(origin))

    def clear_site_data(self, origin: str) -> None:
        """Clear cookies, storage and service workers of an origin, as the user's own command does."""
        self.chrome(CLEAR_SITE_DATA % json.dumps(origin))

    def set_pref(self, name: str, value: Pref) -> None:
        """Change a preference of the running browser."""
        kind = {bool: "Bool", int: "Int", str: "String"}[type(value)]
        self.chrome(f"Services.prefs.set{kind}Pref({json.dumps(name)}, {json.dumps(value)})")

    def describe(self) -> str:
        """The pages' console and the end of the process's output (service workers print there)."""
        lines = [f"[{line.level}] {line.text}" for line in list(self.console)[-40:]]
        state = "running" if self._child.running else "ended"
        return "\n".join([f"--- Firefox {state}, console:", *lines, "--- its output:", self._child.tail(lines=40)])

    def picture(self, path: Path) -> None:
        """Save a screenshot of every tab."""
        for number, tab in enumerate(self.tabs):
            tab.screenshot(path.with_name(f"{path.name}-tab{number}.png"))

    def stop(self) -> None:
        """Quit as a user does and keep the profile; Tab objects are void from here on."""
        with contextlib.suppress(BidiError):
            self.bidi.command("browser.close", timeout=PATIENCE_SECONDS)
        self._child.wait(timeout=PATIENCE_SECONDS)
        self._end_process()

    def crash(self) -> None:
        """Kill the browser without warning and keep the profile."""
        self._end_process()

    def start(self) -> None:
        """Start again on the same profile after `stop` or `crash`."""
        self._start()

    def restart_keeping_profile(self) -> None:
        """`stop`, then `start`."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Kill the browser with its process group and remove the profile; safe to call twice."""
        diagnostics.unwatch(self)
        if self._startup_cache and not self._startup_cache.exists():
            self._save_startup_cache(self._startup_cache)
        self._end_process()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _save_startup_cache(self, folder: Path) -> None:
        """Keep Firefox's compiled scripts (nothing of any site): the next profile starts a second sooner."""
        if hasattr(self, "bidi") and self._child.running:
            self.stop()
        compiled, build = self._profile / "startupCache", self._profile / "compatibility.ini"
        if compiled.is_dir() and build.is_file():
            shutil.copytree(compiled, folder / "startupCache")
            shutil.copy2(build, folder)

    def _end_process(self) -> None:
        if hasattr(self, "_child"):
            self._child.kill()
        if hasattr(self, "bidi"):
            with contextlib.suppress(BidiError, TimeoutError):
                self.bidi.close()
