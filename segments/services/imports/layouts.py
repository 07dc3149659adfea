"""Where the ids of a file stand: its separator, their column, and whether the first line names columns."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

HEAD: Final = 65_536  # bytes of a file that are looked at before it is imported
_SAMPLES: Final = 3
_MOST_COLUMNS: Final = 100
_SHOWN: Final = 60  # characters of a value
# The columns that are taken for the id, the surest first, as they are written without blanks, dashes and case.
_WHO: Final = ("user", "customer", "player", "member", "account", "client")
_NAMES: Final = (*(f"external_{who}" for who in _WHO), "external", *_WHO)
_COLUMNS: Final = (*(name + tail for name in _NAMES for tail in ("_id", "id")), "uid", "id")
_KNOWN: Final = {column.replace("_", ""): number for number, column in reversed(list(enumerate(_COLUMNS)))}
# What spreadsheets write before a list to say how it is separated.
_SEPARATOR: Final = re.compile(r'"?sep=(\\t|[^"\r\n])"?[\s,;|]*\Z', re.IGNORECASE)
_AS_TEXT: Final = re.compile(r'="((?:[^"]|"")*)"\Z', re.DOTALL)
# With a plus or a point; 7E11 may be anybody's id.
_SHORTENED: Final = re.compile(r"([+-]?)(\d+)(?:[.,](\d+)E([+-]?)|E(\+))(\d{1,3})\Z", re.IGNORECASE)


class LostDigits(ValueError):
    """A spreadsheet wrote a number without all of its digits; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`delimiter` None: each line is one id."""

    delimiter: str | None
    column: int
    header: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """The column that staff chose, from 0, and whether the first line names columns."""

    column: int
    header: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """The beginning of a file: each column's name, where the first line has names, and its first values."""

    names: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    column: int
    header: bool


def separator_of(line: str) -> str | None:
    """Return the separator that a line such as `sep=;` names; None for any other line."""
    found = _SEPARATOR.match(line.strip("\ufeff \r\n"))
    return found[1].replace("\\t", "\t") if found else None


def layout_of(first: str, name: str, *, separator: str | None = None, choice: Choice | None = None) -> Layout:
    """Return where the ids stand, from the first line that is not empty; staff's choice wins over the guess."""
    line = first.strip("\r\n")
    marks = [separator] if separator is not None else ["\t", ";", ",", "|"]
    counts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in marks}
    delimiter = max(counts, key=lambda mark: counts[mark])
    single = counts[delimiter] < 2
    cells = [unquoted(line.strip())] if single else next(csv.reader([line], delimiter=delimiter))
    found = _column_of(cells)
    whole = single or (found is None and separator is None and name.casefold().endswith(".txt"))
    if choice is not None:
        return Layout(None if whole else delimiter, 0 if whole else choice.column, choice.header)
    return Layout(None, 0, found is not None) if whole else Layout(delimiter, found or 0, found is not None)


def columns_read(head: bytes, name: str, *, encodings: tuple[str, ...]) -> Columns | None:
    """Return what the beginning of a file shows and the column that would be taken; None where it holds nothing."""
    text = io.StringIO(_decoded(head, encodings), newline="")
    separator, first = None, ""
    for line in text:
        if line.strip("\ufeff \t\r\n"):
            separator = separator_of(line) if separator is None else separator
            if separator is None or separator_of(line) is None:
                first = line
                break
    if not first:
        return None
    layout = layout_of(first.removeprefix("\ufeff"), name, separator=separator)
    rows = list(islice(_rows(first.removeprefix("\ufeff"), text, layout), _SAMPLES + 1))
    if not rows:
        return None
    width = min(max(map(len, rows)), _MOST_COLUMNS)
    table = [(*row, *[""] * width)[:width] for row in rows]
    names = table[0] if layout.header else tuple(f"Column {number}" for number in range(1, width + 1))
    return Columns(
        names=tuple(names),
        samples=tuple(zip(*(table[1:] if layout.header else table[:_SAMPLES]), strict=True)) or ((),) * width,
        column=min(layout.column, width - 1),
        header=layout.header,
    )


def value_meant(value: str) -> str:
    """Return what a spreadsheet meant by a cell: `="u1"` is u1; raises LostDigits for 7.00E+11."""
    value = unquoted(value.strip())
    as_text = _AS_TEXT.match(value)
    if as_text:
        return as_text[1].replace('""', '"').strip()
    short = _SHORTENED.match(value)
    if short is None:
        return value
    sign, whole, fraction, exponent = short[1].strip("+"), short[2], short[3] or "", short[4] or ""
    if exponent != "-" and whole != "0" and len(fraction) == int(short[6]) > 0:  # all of its digits are there
        return sign + whole + fraction
    raise LostDigits(
        f"A spreadsheet wrote this number as {value}, without all of its digits. Format the column as text there,"
        " and export the list again."
    )


def unquoted(value: str) -> str:
    """Return a value without the quotation marks around it."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('""', '"').strip()
    return value


def _column_of(cells: list[str]) -> int | None:
    """Return the column whose name is surest to be the id's."""
    keys = [re.sub(r"[\s_-]", "", _name_of(cell).casefold()) for cell in cells]
    known = [(_KNOWN[key], number) for number, key in enumerate(keys) if key in _KNOWN]
    return min(known)[1] if known else None


def _name_of(cell: str) -> str:
    cell = unquoted(cell.strip("\ufeff \t"))
    as_text = _AS_TEXT.match(cell)
    return as_text[1] if as_text else cell


def _decoded(head: bytes, encodings: tuple[str, ...]) -> str:
    """Return the whole lines of a beginning that may be cut in the middle of one."""
    text = ""
    for encoding in encodings:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head, final=False)
            break
        except UnicodeDecodeError:
            continue
    cut = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:cut] if len(head) >= HEAD and cut else text


def _rows(first: str, rest: io.StringIO, layout: Layout) -> Iterator[list[str]]:
    lines = [first, *islice(rest, 200)]
    if layout.delimiter is None:
        yield from ([unquoted(line.strip())[:_SHOWN]] for line in lines if line.strip())
        return
    try:
        for row in csv.reader(lines, delimiter=layout.delimiter):
            if any(cell.strip() for cell in row):
                yield [_name_of(cell)[:_SHOWN] for cell in row]
    except csv.Error:  # the import itself says where
        return
