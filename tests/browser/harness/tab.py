"""One Firefox tab: script, real input, waiting and screenshots, all through WebDriver BiDi."""

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .bidi import BidiError, JavaScriptError, evaluation
from .waiting import PATIENCE_SECONDS, POLL_SECONDS

if TYPE_CHECKING:
    from .firefox import Firefox

# WebDriver, "Keyboard actions": keys without a character of their own.
KEYS = {
    "Backspace": "\ue003",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Escape": "\ue00c",
    "Space": " ",
    "End": "\ue010",
    "Home": "\ue011",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
    "Delete": "\ue017",
}

# Says why an element cannot be clicked yet, or nothing when a click on its middle would reach it. Two frames
# apart its place must be the same, so that a popup that is still sliding in is not missed.
CLICKABLE = """async (element) => {
  if (!element.isConnected) return 'not in the document';
  element.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
  const place = () => { const r = element.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; };
  const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 200); });
  const before = place();
  await frame(); await frame();
  const after = place();
  if (String(before) !== String(after)) return 'still moving';
  const [x, y, width, height] = after;
  if (!width || !height) return 'without size';
  if (element.disabled) return 'disabled';
  const root = element.getRootNode();
  const hit = root.elementFromPoint(x + width / 2, y + height / 2);
  if (!hit) return 'outside the viewport';
  if (hit !== element && !element.contains(hit) && !(hit.contains(element) && hit.tagName === 'LABEL')) {
    return 'covered by ' + hit.outerHTML.slice(0, 120);
  }
  return null;
}"""

# Errors that only say that the page is being exchanged for another one just now.
IN_TRANSIT = ("no such frame", "no such node", "no such handle", "unknown error", "stale element reference")


class Tab:
    """A tab of a running Firefox."""

    def __init__(self, firefox: "Firefox", context: str) -> None:
        self.firefox = firefox
        self.context = context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tab) and other.context == self.context

    def __hash__(self) -> int:
        return hash(self.context)

    def __repr__(self) -> str:
        return f"Tab({self.context})"

    @property
    def url(self) -> str:
        """The address the tab shows."""
        tree = self.firefox.bidi.command("browsingContext.getTree", {"root": self.context, "maxDepth": 0})
        return str(tree["contexts"][0]["url"])

    def goto(self, url: str) -> None:
        """Navigate and wait for the load event."""
        self.firefox.bidi.command(
            "browsingContext.navigate",
            {"context": self.context, "url": url, "wait": "complete"},
            timeout=PATIENCE_SECONDS,
        )

    def reload(self) -> None:
        """Reload and wait for the load event."""
        self.firefox.bidi.command(
            "browsingContext.reload", {"context": self.context, "wait": "complete"}, timeout=PATIENCE_SECONDS
        )

    def activate(self) -> None:
        """Bring the tab to the front, which makes the others of its window hidden."""
        self.firefox.bidi.command("browsingContext.activate", {"context": self.context})

    def set_viewport(self, width: int, height: int) -> None:
        """Lay the page out for a screen of this many CSS pixels."""
        self.firefox.bidi.command(
            "browsingContext.setViewport",
            {"context": self.context, "viewport": {"width": width, "height": height}},
        )

    def evaluate(
        self, js: str, await_promise: bool = True, user_gesture: bool = False, timeout: float = PATIENCE_SECONDS
    ) -> Any:
        """Evaluate script in the page and return its value; JavaScriptError when it throws or rejects."""
        return evaluation(
            self.firefox.bidi.command(
                "script.evaluate",
                {
                    "expression": js,
                    "target": {"context": self.context},
                    "awaitPromise": await_promise,
                    "userActivation": user_gesture,
                },
                timeout=timeout,
            )
        )

    def wait(self, js: str, timeout: float = PATIENCE_SECONDS) -> Any:
        """Evaluate an expression until it is truthy and return it; survives navigations of the page."""
        deadline = time.monotonic() + timeout
        last: Any = None
        while True:
            try:
                last = self.evaluate(js, timeout=max(0.5, deadline - time.monotonic()))
                if last:
                    return last
            except JavaScriptError as problem:
                last = problem
            except BidiError as problem:
                if problem.code not in IN_TRANSIT:
                    raise AssertionError(f"{problem} while waiting for {js}\n{self.firefox.describe()}") from None
                last = problem
            if time.monotonic() >= deadline:
                raise AssertionError(
                    f"not true within {timeout:g} s: {js}\nlast answer: {last!r}\n{self.firefox.describe()}"
                )
            time.sleep(POLL_SECONDS)

    def locate(self, selector: str) -> list[dict[str, Any]]:
        """Find nodes by CSS; `host >>> inner` steps into the host's shadow root, open or closed."""
        *hosts, last = [part.strip() for part in selector.split(">>>")]
        start: list[dict[str, str]] | None = None
        for host in hosts:
            roots = [node["value"].get("shadowRoot") for node in self._nodes(host, start)]
            start = [{"sharedId": root["sharedId"]} for root in roots if root]
            if not start:
                return []
        return self._nodes(last, start)

    def _nodes(self, css: str, start: list[dict[str, str]] | None) -> list[dict[str, Any]]:
        params: dict[str, Any] = {
            "context": self.context,
            "locator": {"type": "css", "value": css},
            "serializationOptions": {"maxDomDepth": 0, "includeShadowTree": "all"},
        }
        if start is not None:
            params["startNodes"] = start
        return list(self.firefox.bidi.command("browsingContext.locateNodes", params)["nodes"])

    def call(self, selector: str, function: str, timeout: float = PATIENCE_SECONDS) -> Any:
        """Wait for an element and return what `function` (JS, given the element) makes of it."""
        deadline = time.monotonic() + timeout
        while True:
            problem: object = "no such element"
            try:
                if nodes := self.locate(selector):
                    return self._call_on(nodes[0], function)
            except BidiError as error:
                if error.code not in IN_TRANSIT:
                    raise
                problem = error
            if time.monotonic() >= deadline:
                raise AssertionError(f"{selector}: {problem} after {timeout:g} s\n{self.firefox.describe()}")
            time.sleep(POLL_SECONDS)

    def text(self, selector: str, timeout: float = PATIENCE_SECONDS) -> str:
        """The trimmed text content of an element that is waited for."""
        return str(self.call(selector, "(element) => element.textContent.trim()", timeout))

    def _call_on(self, node: dict[str, Any], function: str) -> Any:
        return evaluation(
            self.firefox.bidi.command(
                "script.callFunction",
                {
                    "functionDeclaration": function,
                    "arguments": [{"sharedId": node["sharedId"]}],
                    "target": {"context": self.context},
                    "awaitPromise": True,
                },
            )
        )

    def click(self, selector: str, timeout: float = PATIENCE_SECONDS) -> None:
        """Click the element's middle with the real pointer once nothing covers it (see `locate`)."""
        self.activate()
        deadline = time.monotonic() + timeout
        while True:
            reason: object = "no such element"
            try:
                if nodes := self.locate(selector):
                    reason = self._call_on(nodes[0], CLICKABLE)
                    if reason is None:
                        self._press_pointer(nodes[0])
                        return
            except BidiError as problem:
                if problem.code not in IN_TRANSIT:
                    raise
                reason = problem
            if time.monotonic() >= deadline:
                raise AssertionError(
                    f"cannot click {selector} after {timeout:g} s: {reason}\n{self.firefox.describe()}"
                )
            time.sleep(POLL_SECONDS)

    def _press_pointer(self, node: dict[str, Any]) -> None:
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        self._perform(
            {
                "type": "pointer",
                "id": "mouse",
                "parameters": {"pointerType": "mouse"},
                "actions": [
                    {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
                    {"type": "pointerDown", "button": 0},
                    {"type": "pointerUp", "button": 0},
                ],
            }
        )

    def press(self, *keys: str) -> None:
        """Press real keys one after the other: Tab, Enter, `Shift+Tab` and so on, or single characters."""
        self.activate()
        actions = []
        for key in keys:
            chord = [KEYS.get(part, part) for part in key.split("+")] if len(key) > 1 else [key]
            actions += [{"type": "keyDown", "value": part} for part in chord]
            actions += [{"type": "keyUp", "value": part} for part in reversed(chord)]
        self._perform({"type": "key", "id": "keyboard", "actions": actions})

    def type(self, text: str) -> None:
        """Type text with real keys into whatever has the focus."""
        self.press(*text)

    def _perform(self, source: dict[str, Any]) -> None:
        self.firefox.bidi.command(
            "input.performActions", {"context": self.context, "actions": [source]}, timeout=PATIENCE_SECONDS
        )

    def screenshot(self, path: Path) -> Path:
        """Save what the viewport shows as PNG and return the path."""
        answer = self.firefox.bidi.command("browsingContext.captureScreenshot", {"context": self.context})
        path.write_bytes(base64.b64decode(answer["data"]))
        return path

    def close(self) -> None:
        """Close the tab."""
        self.firefox.bidi.command("browsingContext.close", {"context": self.context})
