"""What is alive right now, so that a failing test can print what its browsers and the desktop saw."""

import re
from pathlib import Path
from typing import Protocol


class Diagnosable(Protocol):
    """Something whose state helps to understand a failure."""

    def describe(self) -> str:
        """Its recent output in a few dozen lines."""
        ...

    def picture(self, path: Path) -> None:
        """Save screenshots, if it has any, under names that begin with `path`."""
        ...


_live: list[Diagnosable] = []


def watch(thing: Diagnosable) -> None:
    """Include `thing` in the report of a failing test."""
    _live.append(thing)


def unwatch(thing: Diagnosable) -> None:
    """Leave `thing` out from now on."""
    if thing in _live:
        _live.remove(thing)


def report(*, test_name: str, pictures: Path) -> list[tuple[str, str]]:
    """Describe everything alive as (title, text) sections and save screenshots into `pictures`."""
    sections = []
    safe_name = re.sub(r"[^A-Za-z0-9_.-]+", "_", test_name)[-80:]
    for number, thing in enumerate(_live):
        title = f"{type(thing).__name__} {number}"
        try:
            sections.append((title, thing.describe()))
            pictures.mkdir(parents=True, exist_ok=True)
            thing.picture(pictures / f"{safe_name}-{number}")
        except Exception as problem:  # the test's own failure matters more than a browser that is gone
            sections.append((title, f"cannot be described: {problem!r}"))
    return sections
