"""Pushes as the content of an activity, and the numbers of a push activity."""

from collections.abc import Iterable, Mapping
from typing import Any

from assets.models import PushResource, PushRevision
from assets.selectors import push_names
from assets.services import push_content, push_draft, push_name_warnings
from campaigns.activities.plugins import Resources
from campaigns.selectors.counts import ActivityCounts
from devices.models import Delivery
from segments.selectors.names.known_names import KnownNames
from smartpush.common.language.languages import language_label

_ENDS = [
    Delivery.State.FAILED,
    Delivery.State.GONE,
    Delivery.State.EXPIRED,
    Delivery.State.CANCELLED,
    Delivery.State.UNKNOWN,
    Delivery.State.SUPPRESSED,
]


class Pushes(Resources[PushResource]):
    """Push resources."""

    model = PushResource

    def content(self, *, row: PushResource) -> dict[str, Any]:
        return push_content(_revision(row))

    def names(self, *, revision_ids: Iterable[int]) -> Mapping[int, str]:
        return push_names(revision_ids)

    def warnings(self, *, row: PushResource, known: KnownNames, event: str | None) -> list[str]:
        return push_name_warnings(draft=push_draft(_revision(row)), known=known, event=event)

    def lines(self, *, row: PushResource) -> list[str]:
        return [
            f"{language_label(variant.language)}: {variant.title}\n{variant.message}"
            for variant in _revision(row).variants.all()
        ]


def _revision(row: PushResource) -> PushRevision:
    assert row.current_revision is not None  # `usable` leaves the others out
    return row.current_revision


def report(counts: ActivityCounts) -> list[tuple[str, int]]:
    """The messages by state, and what devices said of them."""
    states = Delivery.State
    waiting = counts.messages.get(states.READY, 0) + counts.messages.get(states.SENDING, 0)
    return [
        ("Ready", waiting),
        ("Accepted", counts.accepted),
        ("Displayed", counts.displayed),
        ("Clicked", counts.clicked),
        *((str(state.label), counts.messages.get(state, 0)) for state in _ENDS),
    ]
