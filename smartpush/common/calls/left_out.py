"""Tell in a call's answer which of its parts were not kept, so that the rest need not be refused (ADR 17)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST: Final = 100  # of one answer
MAX_FIELD: Final = 200  # characters
MAX_MESSAGE: Final = 500  # a refusal may repeat what was sent


class LeftOutCode(StrEnum):
    """Why a part was left out, shortened or replaced; docs/sdk.md explains each."""

    SHORTENED = "shortened"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    NOT_KNOWN = "not_known"
    UNREADABLE = "unreadable"
    NO_OFFSET = "no_offset"
    OUT_OF_RANGE = "out_of_range"
    CHARACTERS = "characters"
    PROPERTY_TYPE = "property_type"
    UNPROVEN = "unproven"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One part: its path in the request (`properties.tags`), why, and a sentence for people."""

    field: str
    code: LeftOutCode
    message: str

    def body(self) -> dict[str, str]:
        """Return the entry of an answer's `left_out`; the message names the field, for logs that show it alone."""
        return {"field": self.field, "code": self.code, "message": f"{self.field}: {self.message}"[:MAX_MESSAGE]}


def path_of(*parts: str) -> str:
    """Return the path of a part, from the names that lead to it, cut to a length that an answer can carry."""
    return ".".join(part for part in parts if part)[:MAX_FIELD]
