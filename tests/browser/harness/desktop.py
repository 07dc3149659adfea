"""A private desktop: a session bus of its own and the notification service every browser talks to.

Implements `org.freedesktop.Notifications` (Desktop Notifications Specification 1.2). It answers on the level
of messages, not through a dbus-next interface class, because the sender of a call tells two browsers apart.
"""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbus_next import Message, MessageType, Variant
from dbus_next.aio import MessageBus

from . import diagnostics
from .background import background
from .process import Child, program, temporary_folder
from .waiting import PATIENCE_SECONDS

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
CAPABILITIES = ["actions", "body", "body-markup", "icon-static", "persistence"]
CLOSED_BY_USER = 2
CLOSED_BY_APPLICATION = 3

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass
class Shown:
    """One notification as a desktop was asked to show it."""

    id: int
    summary: str
    body: str
    actions: dict[str, str]
    """Label by action key; the key `default` is a click on the notification itself."""
    hints: dict[str, Any] = field(repr=False)
    icon: str = field(repr=False)
    at: float
    """`time.time()` when the desktop was asked, in seconds."""
    replaces: int
    """The id of the notification that this one takes the place of, or 0."""
    sender: str
    """The bus name of the browser that asked."""
    closed: int | None = None
    """None while on the screen, then the reason (2 the user, 3 the application)."""


def _action_key(shown: Shown, action: str) -> str:
    for key in (action, f"{action}-moz"):
        if key in shown.actions:
            return key
    for key, label in shown.actions.items():
        if label == action:
            return key
    raise AssertionError(f"no action {action!r} on {shown}")


class Desktop:
    """The bus, the notification service on it and the hand that clicks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._history: list[Shown] = []
        self._returned: set[int] = set()
        self._next_id = 1
        self._folder = temporary_folder("bus")
        config = self._folder / "bus.conf"
        config.write_text(BUS_CONFIG.format(folder=self._folder))
        self._daemon = Child(
            [
                program("dbus-daemon"),
                f"--config-file={config}",
                "--nofork",
                "--nopidfile",
                "--print-address=1",
            ],
            name="dbus-daemon",
            env={"PATH": "/usr/bin:/bin"},
        )
        self.address = self._daemon.wait_line(pattern=r"^(unix:\S+)", timeout=PATIENCE_SECONDS).group(1)
        background.run(self._serve())
        diagnostics.watch(self)

    async def _serve(self) -> None:
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.add_message_handler(self._answer)
        await self._bus.request_name(NAME)

    def _answer(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.interface != NAME:
            return None
        if message.member == "GetCapabilities":
            return Message.new_method_return(message, "as", [CAPABILITIES])
        if message.member == "GetServerInformation":
            return Message.new_method_return(message, "ssss", ["smartpush-tests", "smartpush", "1", "1.2"])
        if message.member == "Notify":
            return Message.new_method_return(message, "u", [self._notify(message)])
        if message.member == "CloseNotification":
            self._close(message.body[0], CLOSED_BY_APPLICATION)
            return Message.new_method_return(message)
        return None

    def _notify(self, message: Message) -> int:
        _app, replaces, icon, summary, body, actions, hints, _timeout = message.body
        with self._changed:
            known = any(shown.id == replaces for shown in self._history)
            shown_id = replaces if known else self._next_id
            self._next_id += 0 if known else 1
            for earlier in self._history:
                if earlier.id == shown_id and earlier.closed is None:
                    earlier.closed = CLOSED_BY_APPLICATION
            self._history.append(
                Shown(
                    id=shown_id,
                    summary=summary,
                    body=body,
                    actions=dict(zip(actions[::2], actions[1::2], strict=True)),
                    hints={key: hint.value if isinstance(hint, Variant) else hint for key, hint in hints.items()},
                    icon=icon,
                    at=time.time(),
                    replaces=shown_id if known else 0,
                    sender=message.sender or "",
                )
            )
            self._changed.notify_all()
        return shown_id

    def _close(self, shown_id: int, reason: int) -> None:
        with self._changed:
            for shown in self._history:
                if shown.id == shown_id and shown.closed is None:
                    shown.closed = reason
            self._changed.notify_all()
        self._bus.send(Message.new_signal(PATH, NAME, "NotificationClosed", "uu", [shown_id, reason]))

    @property
    def history(self) -> list[Shown]:
        """Every notification since `reset`, oldest first."""
        with self._changed:
            return list(self._history)

    @property
    def on_screen(self) -> list[Shown]:
        """The notifications that nobody has closed yet."""
        return [shown for shown in self.history if shown.closed is None]

    def reset(self) -> None:
        """Forget everything shown so far; ids go on counting."""
        with self._changed:
            self._history.clear()
            self._returned.clear()

    def wait_notification(
        self, timeout: float = PATIENCE_SECONDS, predicate: Callable[[Shown], bool] = lambda shown: True
    ) -> Shown:
        """Return the oldest notification that fits and was not returned before, within `timeout` s."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for number, shown in enumerate(self._history):
                    if number not in self._returned and predicate(shown):
                        self._returned.add(number)
                        return shown
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(
                        f"no matching desktop notification within {timeout:g} s; shown: {self._history}"
                    )
                self._changed.wait(left)

    def wait_closed(self, shown: Shown, *, timeout: float = PATIENCE_SECONDS) -> int:
        """Wait until a notification is off the screen and return the reason."""
        with self._changed:
            if not self._changed.wait_for(lambda: shown.closed is not None, timeout):
                raise AssertionError(f"still on the screen after {timeout:g} s: {shown}")
            assert shown.closed is not None
            return shown.closed

    def click(self, shown: Shown | int, action: str = "default") -> None:
        """Click the notification (`default`) or one of its buttons; like GNOME, the desktop then closes it.

        A button is named by its key or its label. Firefox sends an action `go` as the key `go-moz`, Chromium
        as the button's number; for Firefox `go` will do.
        """
        shown_id = shown if isinstance(shown, int) else shown.id
        current = [entry for entry in self.on_screen if entry.id == shown_id]
        if not current:
            raise AssertionError(f"notification {shown_id} is not on the screen: {self.history}")
        background.run(self._click(shown_id, _action_key(current[-1], action)))

    async def _click(self, shown_id: int, action: str) -> None:
        self._bus.send(Message.new_signal(PATH, NAME, "ActionInvoked", "us", [shown_id, action]))
        self._close(shown_id, CLOSED_BY_USER)

    def dismiss(self, shown: Shown | int) -> None:
        """Close the notification as a user does with its cross."""
        background.run(self._dismiss(shown if isinstance(shown, int) else shown.id))

    async def _dismiss(self, shown_id: int) -> None:
        self._close(shown_id, CLOSED_BY_USER)

    def describe(self) -> str:
        """What was shown since the last reset."""
        return "\n".join(str(shown) for shown in self.history) or "no notification was shown"

    def picture(self, path: Path) -> None:
        """A bus has no screen of its own."""

    def close(self) -> None:
        """Leave the bus, end it and remove its folder."""
        diagnostics.unwatch(self)
        background.loop.call_soon_threadsafe(self._bus.disconnect)
        self._daemon.end()
        shutil.rmtree(self._folder, ignore_errors=True)
