"""Bodies of the SDK surface: JSON in UTF-8, of bounded size and depth, and nothing in it but Unicode text."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from smartpush.common.calls.errors import ApiError
from smartpush.common.calls.left_out import MOST, LeftOut, LeftOutCode, path_of

MAX_BODY = 1024 * 1024  # bytes: a hundred events with the largest properties fit
MAX_DEPTH = 16
# NUL, which PostgreSQL stores nowhere, and half of a surrogate pair: what `slice` leaves of an emoji that it cuts.
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"
_LONGEST_NUMBER = 4000  # digits: Python reads none that is much longer


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST_NUMBER else float(digits)


def characters_replace(value: Any, replaced: list[str], *path: str) -> Any:
    """Return the value with U+FFFD for each character that cannot be kept; `replaced` gets the paths of such texts."""
    if isinstance(value, str):
        if not _NOT_KEPT.search(value):
            return value
        replaced.append(path_of(*path))
        return _NOT_KEPT.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [characters_replace(item, replaced, *path, str(index)) for index, item in enumerate(value)]
    if isinstance(value, dict):
        named = {}
        for name, item in value.items():
            clean = _NOT_KEPT.sub(REPLACEMENT, name)
            if clean != name:
                replaced.append(path_of(*path, clean))
            named[clean] = characters_replace(item, replaced, *path, clean)
        return named
    return value


def characters_told(paths: list[str]) -> list[LeftOut]:
    """Return what answers say of replaced characters."""
    text = "Characters that cannot be kept (NUL, half of an emoji that was cut) became U+FFFD."
    return [LeftOut(path, LeftOutCode.CHARACTERS, text) for path in paths[:MOST]]


class SdkParser(BaseParser):
    """RFC 8259 JSON, 1 MiB and 16 levels at most; whatever charset the content type names, it is read as UTF-8.

    No JSONParser: for that one DRF reads the body beforehand, within Django's limit for forms instead of this one.

    Characters that cannot be kept are replaced; the request's `replaced` names the paths of the texts they stood in.
    """

    media_type = "application/json"
    max_body = MAX_BODY
    replaces = True

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed value; raises ParseError, or ApiError for payload_too_large."""
        raw = stream.read(self.max_body + 1)
        if len(raw) > self.max_body:
            text = f"A body may have {self.max_body} bytes at most; send less at a time."
            raise ApiError(413, "payload_too_large", text)
        try:
            text = raw.decode("utf-8-sig")  # editors and .NET begin UTF-8 with a mark
            value = json.loads(text, parse_constant=_no_constant, parse_int=_whole_number)
            if "\\u" in text and not self.replaces:  # the only way in for half a surrogate pair: no Unicode text
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as problem:
            reason = "it is not Unicode text" if isinstance(problem, UnicodeError) else str(problem)
            raise ParseError(f"The body is not JSON: {reason}.") from None
        if _too_deep(value):
            raise ParseError("The body is nested too deeply.")
        if "\\u" in text and self.replaces:
            replaced: list[str] = []
            value = characters_replace(value, replaced)
            (parser_context or {})["request"].replaced = replaced
        return value
