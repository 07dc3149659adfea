"""Find the brand's own events and markers for the field picker, by any words of their names or near them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from segments import fields
from segments.fields import Field, Suggestion
from segments.selectors.names.nearness import begins, meant_words, parts_of, slips_to
from segments.selectors.names.suggesting import candidates

MOST = 20  # of each field
MOST_NEAR = 5
_LEAST = 2  # letters: a single one is in nearly every name


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
    """Return what has every word typed in its name, or in its field's names where its own has one of them.

    Where nothing has, return what is a slip or two away from that.
    """
    words = meant_words(typed)
    if sum(len(word) for chunk in words for word in chunk) < _LEAST:
        return []
    searched = [_Searched(field, brand_id) for field in fields.all_fields() if field.found_by]
    found = [item for one in searched for item in one.fitting(words)]
    return found or [item for one in searched for item in one.near(words)]


class _Searched:
    """The brand's names of one field, read once."""

    def __init__(self, field: Field, brand_id: int) -> None:
        self.field = field
        self.around = parts_of(f"{field.label} {field.group} {field.words}")
        listed = candidates(field=field, brand_id=brand_id, argument=field.found_by, given={})
        self.named = [(item, parts_of(item.label)) for item in listed]

    def fitting(self, words: Sequence[Sequence[str]]) -> Sequence[Found]:
        """Return those in which each word begins one of the name or around it, and one begins one of the name."""
        fits = (
            item
            for item, name in self.named
            if any(begins(name, word) for word in words) and all(begins([*name, *self.around], word) for word in words)
        )
        return [Found(self.field, self.field.found_by, item) for item in islice(fits, MOST)]

    def near(self, words: Sequence[Sequence[str]]) -> Sequence[Found]:
        """Return those of which the same would be true but for a slip, the nearest first."""
        ranked: list[tuple[int, int, Suggestion]] = []
        for item, name in self.named:
            if not any(slips_to(name, word) is not None for word in words):
                continue
            each = [slips_to([*name, *self.around], word) for word in words]
            known = [slips for slips in each if slips is not None]
            if len(known) == len(each):
                ranked.append((sum(known), len(ranked), item))
        return [Found(self.field, self.field.found_by, item) for _, _, item in sorted(ranked)[:MOST_NEAR]]
