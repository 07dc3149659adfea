"""`python -m tests.checks.tables`: docs/tables.md is what the models say; `--write` makes it so.

One diagram a room: its tables, and the tables of other rooms that they point to. A solid line is a foreign key of the
database, a dotted one is a reference without one (hot tables, ADR 5).
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import django
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tables.md"
APPS = ("devices", "segments", "assets", "campaigns")
# References by number that carry another name than the table that they point to.
_POINTS_TO = {"end_user_id": "enduser", "brand_id": "brand", "version_id": "campaignversion", "device_id": "device"}
_HEAD = """# Tables, by room

Made from the models by `.venv/bin/python -m tests.checks.tables --write`; a test holds it current.
A solid line is a foreign key, a dotted line a reference that the database does not check
([ADR 5](adr/0005-partitions-and-keys.md)). Histories (`historical…`) have the columns of their
table and are left out. The words are those of the [glossary](glossary.md).
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of one table that names a row of another."""

    table: str
    column: str
    to: str
    checked: bool


def room_of(model: type[models.Model]) -> str:
    """The folder that holds the model: `devices/people`, `campaigns`."""
    parts = model.__module__.split(".models")[0].split(".")
    return "/".join(parts)


def tables() -> dict[str, list[type[models.Model]]]:
    """Our models by room, without histories."""
    found: dict[str, list[type[models.Model]]] = {}
    for label in APPS:
        for model in apps.get_app_config(label).get_models():
            if not model.__name__.startswith("Historical"):
                found.setdefault(room_of(model), []).append(model)
    return {room: sorted(rows, key=lambda model: model.__name__) for room, rows in sorted(found.items())}


def references(model: type[models.Model]) -> Iterator[Reference]:
    """What the model points to, in the order of its columns."""
    known = {other.__name__.lower(): other.__name__ for rows in tables().values() for other in rows}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            to = field.related_model
            name = to if isinstance(to, str) else to.__name__
            yield Reference(model.__name__, field.name, name, field.db_constraint)
        elif field.name in _POINTS_TO:
            yield Reference(model.__name__, field.name, known[_POINTS_TO[field.name]], False)


def page() -> str:
    """The whole page."""
    sections = [_HEAD]
    for room, rows in tables().items():
        sections.append(f"## {room}\n")
        sections.append("| model | table | what it is |\n|---|---|---|")
        sections.append("\n".join(f"| {one.__name__} | `{one._meta.db_table}` | {_summary(one)} |" for one in rows))
        sections.append("\n```mermaid\nerDiagram")
        sections.append("\n".join(f"  {one.__name__}" for one in rows))
        lines = [_line(reference) for one in rows for reference in references(one)]
        sections.append("\n".join(lines) + "\n```\n" if lines else "```\n")
    return "\n".join(sections)


def _summary(model: type[models.Model]) -> str:
    """The first sentence of its docstring, where it has one of its own."""
    text = (model.__dict__.get("__doc__") or "").strip()
    if text.startswith(f"{model.__name__}("):  # Django's own, made of the columns
        return ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def _line(reference: Reference) -> str:
    line = "--" if reference.checked else ".."
    return f"  {reference.to} ||{line}o{{ {reference.table} : {reference.column}"


def main(arguments: Sequence[str]) -> int:
    """Compare, or write; 1 where the page is not what the models say."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.tables", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/tables.md")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    django.setup()
    wanted = page()
    if options.write:
        PAGE.write_text(wanted)
        return 0
    if not PAGE.exists() or PAGE.read_text() != wanted:
        print("docs/tables.md is not what the models say: .venv/bin/python -m tests.checks.tables --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
