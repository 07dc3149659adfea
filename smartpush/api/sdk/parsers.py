"""Bodies of the SDK surface: JSON in UTF-8, of bounded size and depth, and nothing in it but Unicode text."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from smartpush.common.errors import ApiError

MAX_BODY = 1024 * 1024  # bytes: a hundred events with the largest properties fit
MAX_DEPTH = 16


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


class SdkParser(JSONParser):
    """RFC 8259 JSON, 1 MiB and 16 levels at most; whatever charset the content type names, it is read as UTF-8."""

    max_body = MAX_BODY

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed value; raises ParseError, or ApiError for payload_too_large."""
        raw = stream.read(self.max_body + 1)
        if len(raw) > self.max_body:
            text = f"A body may have {self.max_body} bytes at most; send less at a time."
            raise ApiError(413, "payload_too_large", text)
        try:
            text = raw.decode("utf-8")
            value = json.loads(text, parse_constant=_no_constant)
            if "\\u" in text:  # the only way in for half a surrogate pair, which is no Unicode text
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as problem:
            reason = "it is not Unicode text" if isinstance(problem, UnicodeError) else str(problem)
            raise ParseError(f"The body is not JSON: {reason}.") from None
        if _too_deep(value):
            raise ParseError("The body is nested too deeply.")
        return value
