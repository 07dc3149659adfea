"""Find the brand's own events and markers for the field picker, by any words of their names."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from segments import fields
from segments.fields import Field, Suggestion
from segments.selectors.suggesting import candidates

MOST = 20  # of each field
_LEAST = 2  # letters: a single one is in nearly every name
# As the builder takes words apart, and leaves out what a pasted rule has between a name and its value (finding.js).
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = frozenset({"is", "set", "to", "equals"})


@dataclass(frozen=True)
class Found:
    """Something that a rule can be about at once: a field with one argument, or the value, set."""

    field: Field
    argument: str
    suggestion: Suggestion

    def as_json(self) -> dict[str, Any]:
        """The form that the builder reads."""
        name, value = self.argument, self.suggestion.value
        return {
            "id": self.field.name,
            "label": self.suggestion.label,
            "group": self.field.group if name != "value" else self.field.label,
            **({"value": value} if name == "value" else {"params": {name: value}}),
            **({"count": self.suggestion.count} if self.suggestion.count is not None else {}),
        }


def found_by_words(*, brand_id: int, typed: str) -> Sequence[Found]:
    """Return what has every word typed in its name, or in its field's names where its own has one of them."""
    typed_words = _WORD.findall(typed.replace("\x00", "").casefold())
    words = [word for word in typed_words if word not in _BETWEEN] or typed_words
    if sum(map(len, words)) < _LEAST:
        return []
    return [found for field in fields.all_fields() if field.found_by for found in _of(field, brand_id, words)]


def _of(field: Field, brand_id: int, words: Sequence[str]) -> Iterator[Found]:
    around = _WORD.findall(f"{field.label} {field.group} {field.words}".casefold())
    listed = candidates(field=field, brand_id=brand_id, argument=field.found_by, given={})
    fits = (item for item in listed if _fits(_WORD.findall(item.label.casefold()), around, words))
    return (Found(field, field.found_by, item) for item in islice(fits, MOST))


def _fits(name: Sequence[str], around: Sequence[str], words: Sequence[str]) -> bool:
    """Tell whether each word typed begins one of the name or around it, and at least one begins one of the name."""
    return any(_begins(name, word) for word in words) and all(_begins([*name, *around], word) for word in words)


def _begins(parts: Sequence[str], word: str) -> bool:
    """Tell whether one of the parts begins so; a plural finds the singular."""
    starts = (word, word[:-1]) if len(word) > 3 and word.endswith("s") else (word,)
    return any(part.startswith(starts) for part in parts)
