"""Where the ids of a file stand: its separator, their column, and whether the first line names columns."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

HEAD: Final = 65_536  # bytes of a file that are looked at before it is imported
LOOKED_AT: Final = 20  # lines after the first one, among which the heading may stand
_SAMPLES: Final = 3
_MOST_TITLES: Final = 9  # lines of words before the heading
_MOST_COLUMNS: Final = 100
_READ: Final = 200  # lines that the first values are looked for in
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


# A number with blanks between its thousands, as spreadsheets write it: no-break ones, wide or narrow.
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:[\u00a0\u202f]\d{3})+\Z")
_UNSEEN: Final = "\ufeff\u200b\u2060"  # of a page or of a file that was put behind another
# The last line of a report: `Total`, `Total: 37`, `(37 rows)`, `37 rows affected`. Longer words come first.
_TOTAL_WORDS: Final = (
    "grand total|subtotal|totals|total|totale|totaal|toplam|sum|summe|gesamtsumme|gesamt|suma|somme|soma|sommes|razem|"
    "yhteensä|summa|i alt|totalt|celkem|összesen|ukupno|skupaj|σύνολο|итого|всего|разом|الإجمالي|合計|总计|합계|รวม"
)
_TOTAL: Final = re.compile(rf"(?:{_TOTAL_WORDS})(?P<number>\s*[:=]?\s*[\d.,\s]*)\Z", re.IGNORECASE)
_ROWS: Final = re.compile(
    r"\(?\d[\d.,]* (?:rows?|records?|lines?)(?: (?:affected|selected|returned|in set))?\.?\)?\Z", re.I
)
_RULED: Final = re.compile(r"[-=_+| ]{3,}\Z")


class LostDigits(ValueError):
    """A spreadsheet wrote a number without all of its digits; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`delimiter` None: each line is one id. `skip`: lines before the heading, such as a title."""

    delimiter: str | None
    column: int
    header: bool
    skip: int = 0


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


def layout_of(lines: Sequence[str], name: str, *, separator: str | None = None, choice: Choice | None = None) -> Layout:
    """Return where the ids stand, from the first lines of a file; staff's choice wins over the guess.

    The first line is not empty. The heading may follow lines of a title (`Customers of November`).
    """
    skip = _title_lines(lines, separator) if choice is None or choice.header else 0
    line = lines[skip].strip("\r\n")
    delimiter, cells = _cells(line, separator)
    single = len(cells) < 2
    found = _column_of(cells)
    whole = single or (found is None and separator is None and name.casefold().endswith(".txt"))
    if choice is not None:
        return Layout(None if whole else delimiter, 0 if whole else choice.column, choice.header, skip)
    header = found is not None
    return Layout(None, 0, header, skip) if whole else Layout(delimiter, found or 0, header, skip)


def _cells(line: str, separator: str | None) -> tuple[str, list[str]]:
    """Return the separator that a line seems to have, and its cells by it."""
    marks = [separator] if separator is not None else ["\t", ";", ",", "|"]
    cut = {mark: next(csv.reader([line], delimiter=mark), []) for mark in marks}
    delimiter = max(marks, key=lambda mark: len(cut[mark]))
    return delimiter, [unquoted(line.strip())] if len(cut[delimiter]) < 2 else cut[delimiter]


def _title_lines(lines: Sequence[str], separator: str | None) -> int:
    """Return how many lines stand before the heading: of a title, or empty; 0 where the first one is it, or none is.

    A heading among ids is none: it has more cells than each line before it, or those are sentences.
    """
    before: list[str] = []
    for number, line in enumerate(lines):
        text = line.strip("\ufeff\r\n")
        if not text.strip():
            continue
        delimiter, cells = _cells(text, separator)
        if _column_of(cells) is not None:
            return number if before and _are_titles(before, delimiter, cells, lines[number - 1]) else 0
        before.append(text)
        if len(before) > _MOST_TITLES:
            break
    return 0


def _are_titles(before: Sequence[str], delimiter: str, heading: Sequence[str], above: str) -> bool:
    """Return whether the lines before what looks like a heading are no list of ids."""
    width = sum(1 for cell in heading if cell.strip())
    filled = [[cell.strip() for cell in row if cell.strip()] for row in csv.reader(before, delimiter=delimiter)]
    if width > 1:
        return all(len(row) < width and len(row) < 3 for row in filled)
    # One column: a title has several words, or an empty line below it.
    titles = [row for row in filled if row]
    return (
        len(titles) < 4
        and all(len(row) == 1 for row in titles)
        and (not above.strip(f" \t\r\n{delimiter}") or all(" " in row[0] for row in titles))
    )


def is_ruled(value: str) -> bool:
    """Return whether a cell is a line of dashes, as databases print below a heading."""
    return _RULED.match(value) is not None


def ending_of(value: str, *, headed: bool) -> str:
    """Return in a sentence what the last cell of a list is instead of an id; "" where it may be an id.

    A list without a heading may well have a `total` among its ids: there, only what has a number beside it is a total.
    """
    total = _TOTAL.match(value)
    if total is not None and (headed or any(mark.isdigit() for mark in total["number"])):
        return "This is the total of the list, not an id."
    if _ROWS.match(value):
        return "This says how many lines there are and is not an id."
    return ""


def heading_key(cell: str) -> str:
    """Return the name of a column without what people write differently."""
    return re.sub(r"[\s_-]", "", _name_of(cell).casefold())


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
    lines = [first.removeprefix("\ufeff"), *islice(text, _READ)]
    layout = layout_of(lines[: LOOKED_AT + 1], name, separator=separator)
    rows = list(islice(_rows(lines[layout.skip :], layout), _SAMPLES + 1))
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
    value = unquoted(value.strip().strip(_UNSEEN).strip())
    if _GROUPED.match(value):
        return re.sub(r"[\u00a0\u202f]", "", value)
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
    keys = [heading_key(cell) for cell in cells]
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


def _rows(lines: Sequence[str], layout: Layout) -> Iterator[list[str]]:
    if layout.delimiter is None:
        yield from ([unquoted(line.strip())[:_SHOWN]] for line in lines if line.strip())
        return
    try:
        for row in csv.reader(lines, delimiter=layout.delimiter):
            if any(cell.strip() for cell in row):
                yield [_name_of(cell)[:_SHOWN] for cell in row]
    except csv.Error:  # the import itself says where
        return
