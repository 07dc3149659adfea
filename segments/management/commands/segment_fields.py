"""What segments can ask about, as the tables of docs/marketers/segments.md; `--write` puts them there."""

from argparse import ArgumentParser
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from segments import fields
from segments.arguments import PROPERTY_KINDS, Param, ParamKind
from segments.fields import Field
from segments.operators import OPERATORS, Kind, Shape

PAGE = Path("docs") / "marketers" / "segments.md"
BEGIN, END = "<!-- begin: manage.py segment_fields --write -->", "<!-- end -->"
_KINDS = {
    Kind.CHOICE: "one of a list",
    Kind.BOOLEAN: "true or false",
    Kind.MARKERS: "markers",
    Kind.LANGUAGE: "language",
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.DATE: "date",
    Kind.COUNT: "how often",
    Kind.VERSION: "version",
    Kind.SEGMENT: "segment",
}
_SHAPES = {
    Shape.ONE: "a value",
    Shape.MANY: "several values",
    Shape.NONE: "",
    Shape.NUMBER: "a number",
    Shape.COUNT: "so many times",
    Shape.RANGE: "two numbers",
    Shape.FLAG: "true or false",
    Shape.PERIOD_BACK: "a length of time",
    Shape.PERIOD_CURRENT: "day, week or month",
    Shape.DAY: "a day",
    Shape.DAYS: "two days",
    Shape.SEGMENT: "a segment",
}


def tables() -> str:
    """The registry as Markdown."""
    parts = []
    by_group = sorted(fields.all_fields(), key=_place_of_group)
    for group, listed in groupby(by_group, key=lambda field: field.group):
        rows = [[field.label, _kind(field), _besides(field), field.help] for field in listed]
        parts.append(f"### {group}\n\n{_table(['Field', 'Kind', 'And', 'Meaning'], rows)}")
    kinds = [
        [_KINDS[kind], ", ".join(_operator(item.label, item.shape) for item in operators)]
        for kind, operators in OPERATORS.items()
    ]
    return "\n\n".join([*parts, f"### What can be asked\n\n{_table(['Kind', 'Operators'], kinds)}"])


def page_with(text: str) -> str:
    """The page with its tables replaced by today's."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


class Command(BaseCommand):
    help = "Print what segments can ask about, as Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--write", action="store_true", help=f"put it into {PAGE}")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["write"]:
            page = settings.BASE_DIR / PAGE
            page.write_text(page_with(page.read_text()))
        else:
            self.stdout.write(tables())


def _place_of_group(field: Field) -> int:
    """Groups stand in the order of their first fields."""
    groups = list(dict.fromkeys(item.group for item in fields.all_fields()))
    return groups.index(field.group)


def _kind(field: Field) -> str:
    if isinstance(field.kind, Kind):
        return _KINDS[field.kind]
    return " / ".join(_KINDS[kind] for kind in PROPERTY_KINDS.values())


def _besides(field: Field) -> str:
    return ", ".join(_argument(param) for param in field.params if param.kind is not ParamKind.TYPE)


def _argument(param: Param) -> str:
    label = param.label.lower()
    return label if param.required else f"{label} (if wanted)"


def _operator(label: str, shape: Shape) -> str:
    return f"*{label}* {_SHAPES[shape]}".strip()


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
