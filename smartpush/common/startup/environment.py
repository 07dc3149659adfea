"""Read the environment. What is missing or cannot be read is collected, so that all of it is told at once."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import environ

from smartpush.common.addresses.origins import normal_origin

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})

# Reading a file puts its variables into the environment, where a second reading would take them for the process's own.
_from_files: set[str] = set()


@dataclass(frozen=True)
class Problem:
    """One wrong setting: its id in docs/configuration.md, its name, what is wrong, and what to do about it."""

    id: str
    name: str
    text: str
    advice: str = ""


class Environment:
    """The variables of a process, and what is wrong with those that were read so far.

    An empty value counts as unset. A value that cannot be read is replaced by the default, which no process other
    than one that repairs something ever sees (`refusal`).
    """

    def __init__(self, values: Mapping[str, str], *, in_file: Collection[str] = ()) -> None:
        self.problems: list[Problem] = []
        self._values = values
        self._in_file = frozenset(in_file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read the process's environment, and the file for what the environment leaves unset."""
        before = frozenset(os.environ) - _from_files
        readable = os.access(file, os.R_OK)
        if file.is_file() and readable:
            environ.Env.read_env(file)  # never overrides what the environment already says
        _from_files.update(frozenset(os.environ) - before)
        loaded = cls(os.environ, in_file=_from_files)
        if file.is_file() and not readable:
            text = f"{file} is there, and this user may not read it."
            loaded.problems.append(Problem("smartpush.E012", file.name, text, "Run as its owner, or remove it."))
        return loaded

    def source(self, name: str) -> str:
        """Return ` (in .env)` for a variable that comes from the file, else nothing."""
        return " (in .env)" if name in self._in_file else ""

    def text(self, name: str, default: str = "") -> str:
        """Return the value without surrounding space, or the default."""
        return self._values.get(name, "").strip() or default

    def required(self, name: str, what: str, *, advice: str = "") -> str:
        """Return the value; a missing one, or a list of nothing, is a problem that says what the variable is for."""
        value = self.text(name).strip(", ")
        if not value:
            self.problems.append(Problem("smartpush.E011", name, f"{name} is not set. {what}", advice))
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """Return one of the choices, however it is capitalised."""
        value = self.text(name, default)
        for choice in choices:
            if value.lower() == choice.lower():
                return choice
        self.unreadable(name, f"it must be one of {', '.join(choices)}")
        return default

    def integer(self, name: str, default: int) -> int:
        """Return a whole number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            self.unreadable(name, "it must be a whole number")
            return default

    def boolean(self, name: str, default: bool) -> bool:
        """Return true for true, yes, on or 1; false for false, no, off or 0."""
        value = self.text(name, str(default)).lower()
        if value not in _TRUE | _FALSE:
            self.unreadable(name, "it must be true or false")
            return default
        return value in _TRUE

    def items(self, name: str) -> list[str]:
        """Return the values of a comma-separated list, without empty ones."""
        return [item.strip() for item in self.text(name).split(",") if item.strip()]

    def origin(self, name: str, default: str = "") -> str:
        """Return scheme, host and port; an empty default stands for a value that is not there."""
        value = self.text(name, default)
        return self._origin(name, value) or default if value else ""

    def origins(self, name: str) -> frozenset[str]:
        """Return the origins of a comma-separated list."""
        return frozenset(origin for item in self.items(name) if (origin := self._origin(name, item)))

    def database(self, name: str, *, embedded_name: str) -> dict[str, Any]:
        """Return Django's description of a database: the URL's, or the embedded server's where none is set.

        A URL that cannot be used leaves Django's dummy, which refuses every connection: a command that repairs
        something must not take the embedded server for the database that was meant.
        """
        url = self.text(name)
        if not url:
            return {"ENGINE": "smartpush.machine.embedded.backend", "NAME": self.text(embedded_name, "smartpush")}
        try:
            described: dict[str, Any] = environ.Env.db_url_config(url)
        except (ValueError, TypeError):
            described = {}
        if not url.startswith(("postgres://", "postgresql://")) or not described.get("NAME"):
            rule = "it must be postgres://USER:PASSWORD@HOST:PORT/NAME, with special characters percent-encoded;"
            self.unreadable(name, f"{rule} only PostgreSQL 15 or later is supported", secret=True)
            return {"ENGINE": "django.db.backends.dummy", "NAME": ""}
        # A server that does not answer is away: a call must not wait for it as long as the system would.
        options = {"connect_timeout": 5} | described.get("OPTIONS", {})
        return described | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options}

    def redis(self, name: str) -> str:
        """Return the URL of a Redis server, or nothing."""
        url = self.text(name)
        try:
            parts = urlsplit(url)
            right = parts.scheme == "unix" or (bool(parts.hostname) and parts.port != 0)
        except ValueError:
            right = False
        if not url or (right and parts.scheme in {"redis", "rediss", "unix"}):
            return url
        self.unreadable(name, "it must be redis://HOST:PORT/DB (or rediss://, unix://)", secret=True)
        return ""

    def unreadable(self, name: str, rule: str, *, secret: bool = False, value: str | None = None) -> None:
        """Note that a value cannot be read; a secret one, or one with a password in it, is not repeated."""
        value = self.text(name) if value is None else value
        shown = " has a value that cannot be used" if secret or "@" in value else f" is {value!r}"
        self.problems.append(Problem("smartpush.E012", name, f"{name}{self.source(name)}{shown}; {rule}."))

    def _origin(self, name: str, value: str) -> str:
        try:
            parts = urlsplit(value)
            origin = normal_origin(value)
        except ValueError:  # a port that is no number
            origin = None
        if origin is None or parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
            rule = "it must be an origin such as https://push.example.com (scheme, host, no path)"
            self.unreadable(name, rule, value=value)
            return ""
        return origin
