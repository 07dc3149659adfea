"""`make notices`: the licences of the packages that production carries, read from what is installed."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.venv import PRODUCTION

# They build the bundles and are no part of them.
BUILD_TOOLS = {"esbuild", "@esbuild"}
_TEXTS = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)
NOT_STATED = "not stated"
HEAD = """\
Third-party notices

smartpush is distributed with, or installs, the packages below. Each is under its own licence.
Made by `make notices` from the installed packages.
"""


@dataclass(frozen=True)
class Notice:
    """One package: what it is, under which licence, and the texts that come with it."""

    kind: str
    name: str
    version: str
    licence: str
    texts: tuple[str, ...]


def notices(*, repository: Path) -> list[Notice]:
    """Return the notices of the Python and npm packages, by name. Raises SetupStopped where one is not installed."""
    found = [*_python(repository=repository), *_npm(repository=repository)]
    return sorted(found, key=lambda one: (one.kind, one.name.lower()))


def summary(found: Iterable[Notice]) -> str:
    """Return one line for each package."""
    rows = [(one.kind, one.name, one.version, one.licence) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        "  ".join(f"{text:<{width}}" for text, width in zip(row[:3], widths, strict=True)) + f"  {row[3]}\n"
        for row in rows
    )


def document(found: list[Notice]) -> str:
    """Return all of it: the summary, and the text of each licence."""
    parts = [HEAD, summary(found)]
    for one in found:
        for text in one.texts:
            parts.append(f"{'-' * 80}\n{one.name} {one.version} ({one.kind})\n\n{text.strip()}\n")
    return "\n".join(parts)


def _python(*, repository: Path) -> Iterator[Notice]:
    folders = [str(path) for path in (repository / ".venv").glob("lib/python*/site-packages")]
    installed = {_name(one.metadata["Name"]): one for one in metadata.distributions(path=folders)}
    for line in (repository / PRODUCTION).read_text().splitlines():
        pin = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==", line)
        if pin is None:
            continue
        one = installed.get(_name(pin[1]))
        if one is None:
            raise SetupStopped(f"{pin[1]} is not installed in .venv: run make setup first.")
        texts = tuple(
            Path(str(one.locate_file(file))).read_text(errors="replace")
            for file in one.files or []
            if ".dist-info" in file.parts[0] and _TEXTS.search(file.name)
        )
        yield Notice("Python", one.metadata["Name"], one.version, _python_licence(one, texts=texts), texts)


def _python_licence(one: metadata.Distribution, *, texts: tuple[str, ...]) -> str:
    def said(key: str) -> list[str]:
        return [str(value) for value in one.metadata.get_all(key) or []]

    classified = [line.rpartition(" :: ")[2] for line in said("Classifier") if line.startswith("License ")]
    return _first([*said("License-Expression"), ", ".join(classified), *said("License"), *texts])


def _npm(*, repository: Path) -> Iterator[Notice]:
    packages = json.loads((repository / "package-lock.json").read_text())["packages"]
    for place, locked in packages.items():
        name = place.rpartition("node_modules/")[2]
        if not name or locked.get("dev") or name.partition("/")[0] in BUILD_TOOLS:
            continue
        folder = repository / place
        if not (folder / "package.json").is_file():
            raise SetupStopped(f"{name} is not installed in node_modules: run make setup first.")
        about = json.loads((folder / "package.json").read_text())
        texts = tuple(
            path.read_text(errors="replace")
            for path in sorted(folder.iterdir())
            if path.is_file() and _TEXTS.search(path.name) and path.suffix not in {".js", ".ts"}
        )
        yield Notice("npm", name, about["version"], _first([str(about.get("license") or ""), *texts]), texts)


def _first(said: Iterable[str]) -> str:
    """The first line that says something, of the first part that does."""
    for text in said:
        for line in text.splitlines():
            if line.strip(" =-*#"):
                return line.strip()[:60]
    return NOT_STATED


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
