"""What becomes of a person's rows: one ordered list of steps for a merge, and one for an erasure.

The steps of devices stand in `merging.py` and `erasing.py`. Apps above register theirs once, when they are ready, for
the places that `Above` names; so the order is stated here, whatever loads first. A step names the tables that it
answers for: `tests/devices/lifecycle/test_steps.py` finds a table that names an end user and takes no part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Generic, TypeVar

from devices.people.models import EndUser


@dataclass(frozen=True, slots=True)
class Merge:
    """The source becomes the target; both are locked. `source_known`: it had an external id, so files may name it."""

    source: EndUser
    target: EndUser
    now: datetime
    source_known: bool = False


@dataclass(slots=True)
class Erased:
    """How much went, without a word about whose it was."""

    devices: int = 0
    events: int = 0
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """A locked end user is being erased; steps add to `gone` what they deleted."""

    end_user: EndUser
    now: datetime
    gone: Erased = field(default_factory=Erased)


Call = TypeVar("Call", Merge, Erasure)


@dataclass(frozen=True, slots=True)
class Step(Generic[Call]):
    """One thing that is done; `tables` are those in which it leaves nothing of the source, or of the erased person."""

    name: str
    tables: tuple[str, ...]
    run: Callable[[Call], None]


class Above(IntEnum):
    """The places of steps of the apps above, in their order: journeys end or move before lists and memberships do."""

    JOURNEYS = 1
    LISTS = 2
    MEMBERSHIPS = 3


_MERGE_ABOVE: dict[Above, Step[Merge]] = {}
_ERASE_ABOVE: dict[Above, Step[Erasure]] = {}


def steps_register(*, place: Above, merge: Step[Merge], erase: Step[Erasure]) -> None:
    """Register what an app above does at its place; each place is taken once."""
    if place in _MERGE_ABOVE:
        raise ValueError(f"The place {place.name} is taken.")
    _MERGE_ABOVE[place], _ERASE_ABOVE[place] = merge, erase


def merge_steps_above() -> Sequence[Step[Merge]]:
    """The steps of the apps above for a merge, in their order."""
    return [_MERGE_ABOVE[place] for place in sorted(_MERGE_ABOVE)]


def erase_steps_above() -> Sequence[Step[Erasure]]:
    """The steps of the apps above for an erasure, in their order."""
    return [_ERASE_ABOVE[place] for place in sorted(_ERASE_ABOVE)]
