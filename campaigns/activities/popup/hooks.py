"""Popups as the content of an activity, and the numbers of a popup activity."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from assets.models import PopupResource, PopupRevision
from assets.selectors import popup_names
from assets.services import popup_content, popup_draft, popup_language_warnings, popup_problem
from campaigns.activities.plugins import Resources
from campaigns.journey.compile import Step
from campaigns.selectors.counts import ActivityCounts
from devices.delivery.popup_outcomes import ENDED
from devices.models import PopupOffer
from segments.selectors.names.known_names import KnownNames
from smartpush.common.language.languages import language_label

_OUTCOMES = [PopupOffer.State(state) for state in ENDED]


class Popups(Resources[PopupResource]):
    """Popup resources."""

    model = PopupResource

    def content(self, *, row: PopupResource) -> dict[str, Any]:
        return popup_content(_revision(row))

    def names(self, *, revision_ids: Iterable[int]) -> Mapping[int, str]:
        return popup_names(revision_ids)

    def compiled(self, *, row: PopupResource, step: Step, content: dict[str, Any]) -> tuple[Step, dict[str, Any]]:
        """A popup activity without a time of its own waits as long as its popup says."""
        seconds = step.seconds or _revision(row).expires_after
        return replace(step, seconds=seconds), {**content, "expires_after": seconds}

    def problem(self, *, row: PopupResource) -> str:
        return popup_problem(_revision(row))

    def warnings(self, *, row: PopupResource, known: KnownNames, event: str | None) -> list[str]:
        return popup_language_warnings(brand=known.brand, draft=popup_draft(_revision(row)))

    def lines(self, *, row: PopupResource) -> list[str]:
        revision = _revision(row)
        offered = [f"Offers {', '.join(revision.categories)}"] if revision.categories else []
        return offered + [
            f"{language_label(variant.language)}: {variant.title}{_under(variant.text)} [{variant.subscribe_label}]"
            + (f" [{variant.later_label}]" if variant.later_label else "")
            for variant in revision.variants.all()
        ]

    def words_of_the_brand(self, *, content: Mapping[str, Any]) -> Any:
        """The words of its categories."""
        return [variant.get("categories") for variant in content["variants"].values()]


def _under(text: str) -> str:
    return f"\n{text}" if text else ""


def _revision(row: PopupResource) -> PopupRevision:
    assert row.current_revision is not None  # `usable` leaves the others out
    return row.current_revision


def report(counts: ActivityCounts) -> list[tuple[str, int]]:
    """The offers by what became of them."""
    return [
        ("Offered", counts.offered),
        ("Shown", counts.shown),
        ("Asked", counts.asked),
        *((str(state.label), counts.offers.get(state, 0)) for state in _OUTCOMES),
    ]
