"""Stored codes in words: each cause, reason, outcome and state has one sentence in one table of its room.

A page never shows a stored code. A code without words raises where tests run, so that none is forgotten. An
installation shows it behind plain words instead, because an older or newer process may have written it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings


class UnknownCode(LookupError):
    """A stored code has no words."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """`words` by code. `opened` are words for codes with an open end, by what stands before it (`http_`)."""

    subject: str
    words: Mapping[str, str]
    opened: Mapping[str, str]

    def of(self, code: str) -> str:
        """The words for a code, '' for none; raises UnknownCode where the settings say so."""
        if not code or code in self.words:
            return self.words.get(code, "")
        for begins, words in self.opened.items():
            if code.startswith(begins):
                return words.format(code.removeprefix(begins).replace("_", " "))
        if settings.SMARTPUSH_UNKNOWN_CODES_RAISE:
            raise UnknownCode(f"{self.subject} has no words for {code!r}.")
        return f"another {self.subject} ({code})"


def code_table(subject: str, words: Mapping[str, str], *, opened: Mapping[str, str] | None = None) -> CodeTable:
    """Make the table of one kind of code; `subject` is what a code of it is called (`reason`)."""
    return CodeTable(subject, words, opened or {})
