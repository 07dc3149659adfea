"""A file of external ids as people have them: its encoding, where the ids stand, and which lines hold none."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import IO

from devices.people.services.external_ids import MAX_LENGTH, CannotUseExternalId, external_id_clean
from segments.services.imports.layouts import (
    HEAD,
    LOOKED_AT,
    Choice,
    Columns,
    Layout,
    LostDigits,
    columns_read,
    ending_of,
    is_ruled,
    layout_of,
    separator_of,
    unquoted,
    value_meant,
)

MAX_LINE = 10_000  # characters; a longer line is no list of ids, whatever it is
MAX_FAULTS = 100  # lines that are named; the others are counted
_CHUNK = 1 << 18
_HEAD = 4096
_KINDS = (
    (b"PK\x03\x04", "a zip file or an Excel workbook"),
    (b"PK\x05\x06", "a zip file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7-Zip file"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_FORMULAS = ("'=", "'+", "'-", "'@")


class CannotRead(Exception):
    """The file cannot be read as a list of ids; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`size` in bytes."""

    size: int
    lines: int


@dataclass(slots=True)
class IdFile:
    """Iterate over it once for (line number, id); afterwards it knows what it left out."""

    stream: IO[bytes]
    name: str
    limits: Limits
    choice: Choice | None = None
    skipped: int = 0
    faults: list[dict[str, int | str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        encoding = _encoding(self.stream, self.limits)
        self.stream.seek(0)
        text = io.TextIOWrapper(self.stream, encoding=encoding, newline="")
        try:
            yield from self._ids(_lines(text, self.limits))
        finally:
            text.detach()

    def _ids(self, lines: Iterator[str]) -> Iterator[tuple[int, str]]:
        began, first = _first(lines, 0)
        separator = separator_of(first)
        if separator is not None:
            began, first = _first(lines, began)
        if not first:
            return
        ahead = [first, *islice(lines, LOOKED_AT)]
        layout = layout_of(ahead, self.name, separator=separator, choice=self.choice)
        rows = _rows(chain(ahead[layout.skip :], lines), began - 1 + layout.skip, layout)
        heading = ""
        if layout.header:
            heading = next(rows, (0, ""))[1]
        # The rule of `external_id_clean`, for ids as nearly all are.
        for line, value in self._without_marks(rows, heading, headed=layout.header):
            if value.isascii() and value.isprintable() and 0 < len(value) <= MAX_LENGTH and _is_plain(value):
                yield line, value.rstrip() if value[-1] == " " else value
            else:
                cleaned = self._clean(line, value)
                if cleaned is not None:
                    yield line, cleaned

    def _without_marks(
        self, rows: Iterator[tuple[int, str]], heading: str, *, headed: bool
    ) -> Iterator[tuple[int, str]]:
        """Leave out what spreadsheets and databases write among ids: the heading again, rules, and a total at the end.

        Lists of nobody make people of their ids in some places: a `Total` must not become one.
        """
        held = next(rows, None)
        if held is not None and headed and is_ruled(held[1]):
            self._leave_out(held[0], "This is a line below the heading, not an id.")
            held = next(rows, None)
        for row in rows:
            if held is not None:
                yield held
            held = row
            if headed and row[1] == heading:
                self._leave_out(row[0], "This is the heading again, not an id.")
                held = None
        if held is not None:
            ending = ending_of(unquoted(held[1]), headed=headed)
            if ending:
                self._leave_out(held[0], ending)
            else:
                yield held

    def _leave_out(self, line: int, problem: str) -> None:
        self.skipped += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append({"line": line, "problem": problem})

    def _clean(self, line: int, value: str) -> str | None:
        try:
            value = value_meant(value)
            if value.startswith(_FORMULAS):
                value = value[1:]  # our own export put the apostrophe there
            return external_id_clean(value)
        except (CannotUseExternalId, LostDigits) as refusal:
            self._leave_out(line, str(refusal))
            return None


def _is_plain(value: str) -> bool:
    """Return whether no spreadsheet meant something else by a value: no marks around it, and no exponent in it."""
    if value[0] in "\"' =" or "E+" in value or "e+" in value:
        return False
    return not (value[-1].isdigit() and ("." in value or "," in value))


def file_columns(*, head: bytes, name: str) -> Columns | None:
    """Return the columns of a file by its first bytes, and the one that would be taken for the id.

    None where it holds no line. Raises CannotRead.
    """
    head = head[:HEAD]
    _refuse_kinds(head)
    return columns_read(head, name, encodings=_guesses(head[:_HEAD]))


def _refuse_kinds(head: bytes) -> None:
    for mark, kind in _KINDS:
        if head.startswith(mark):
            raise CannotRead(f"The file is {kind}. Save the list as CSV or plain text and upload that.")


def _first(lines: Iterator[str], began: int) -> tuple[int, str]:
    """Return the next line that is not empty, with its number; an empty text at the end."""
    for line in lines:
        began += 1
        if line.strip():
            return began, line
    return began, ""


def _encoding(stream: IO[bytes], limits: Limits) -> str:
    """The encoding in which every byte of it makes sense; raises CannotRead."""
    stream.seek(0)
    head = stream.read(_HEAD)
    _refuse_kinds(head)
    tried = _guesses(head)
    problem = ""
    for encoding in tried:
        problem = _problem(stream, encoding, limits)
        if not problem:
            return encoding
    raise CannotRead(
        f"The file is not readable as text: {problem} Save it as UTF-8, which spreadsheets call CSV UTF-8."
    )


def _guesses(head: bytes) -> tuple[str, ...]:
    if head.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    for encoding, high, low in (("utf-16-le", head[1::2], head[0::2]), ("utf-16-be", head[0::2], head[1::2])):
        if len(head) > 3 and high.count(0) > len(high) * 0.9 and low.count(0) < len(low) * 0.1:
            return (encoding,)
    return ("utf-8", "cp1252")


def _problem(stream: IO[bytes], encoding: str, limits: Limits) -> str:
    """What is wrong with the file in this encoding; raises CannotRead when it is too large in any."""
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    size, lines = 0, 1
    while True:
        chunk = stream.read(_CHUNK)
        size += len(chunk)
        if size > limits.size:
            raise CannotRead(f"The file is larger than {limits.size // 1_048_576:,} MB. Split it into several.")
        try:
            lines += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            lines += chunk[: error.start].count(b"\n")
            words = {"utf-8-sig": "UTF-8", "cp1252": "UTF-8, UTF-16 or Latin-1"}.get(encoding, "UTF-16")
            return f"around line {lines:,} it is not {words}."
        if not chunk:
            return ""


def _lines(text: io.TextIOWrapper, limits: Limits) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise CannotRead(
                f"Line {number:,} is longer than {MAX_LINE:,} characters. Put one id on a line, or a CSV with a row"
                " for each end user."
            )
        if number > limits.lines:
            raise CannotRead(f"The file has more than {limits.lines:,} lines. Split it into several.")
        yield line


def _rows(lines: Iterator[str], began: int, layout: Layout) -> Iterator[tuple[int, str]]:
    return _plain(lines, began) if layout.delimiter is None else _columns(lines, began, layout)


def _plain(lines: Iterator[str], began: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, began + 1):
        if value := line.strip():
            if value[0] == '"' and value.count('"') % 2:
                raise _not_closed(number)
            yield number, value


def _columns(lines: Iterator[str], began: int, layout: Layout) -> Iterator[tuple[int, str]]:
    delimiter, column = layout.delimiter or ",", layout.column
    read: list[str] = []  # the lines of the row that is being read
    last: list[str] = []

    def kept() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line

    reader = csv.reader(kept(), delimiter=delimiter)
    begins = began + 1
    try:
        for row in reader:
            if len(row) > column:
                value = row[column].strip()
                if value or any(cell.strip() for cell in row):
                    yield began + reader.line_num, value
            elif any(cell.strip() for cell in row):
                yield began + reader.line_num, ""
            last, begins = read.copy(), began + reader.line_num + 1
            read.clear()
    except csv.Error as error:
        raise _not_closed(begins) from error
    # A mark that is open at the end has swallowed the lines after it, and would swallow one more.
    if last and len(list(csv.reader([*last, "x"], delimiter=delimiter))) == 1:
        raise _not_closed(begins - len(last))


def _not_closed(line: int) -> CannotRead:
    return CannotRead(f"In line {line:,} a quotation mark opens that is not closed. Mend it there.")
