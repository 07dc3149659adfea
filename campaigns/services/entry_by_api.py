"""Enter end users into a campaign by a call of the brand's server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Campaign, Enrolment
from campaigns.selectors.entries import entry_of
from campaigns.services.entry import Candidate, enrol
from campaigns.services.locks import lock_entries
from devices.models import EndUser
from segments.conditions import Context
from segments.rules import read_published
from segments.selectors.audiences import audience_ids

ENTERED, OUTSIDE, NOT_AGAIN, NEVER = "entered", "outside_audience", "not_let_in_again", "never_contact"


class CannotTrigger(Exception):
    """The campaign takes nobody now; the message says why."""


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """Who is to enter; `data` is there for personalisation as the event's properties would be."""

    index: int
    end_user_id: int
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Triggered:
    """`results`: index to entered, outside_audience, not_let_in_again or never_contact. `enrolment_ids`: to advance."""

    results: dict[int, str]
    enrolment_ids: list[int]


@transaction.atomic
def campaign_trigger(*, campaign_id: int, rows: Sequence[TriggerRow], key: str, now: datetime) -> Triggered:
    """Enter these end users, as audience, entry mode and minimum time between entries let them; `key` names the call.

    Raises CannotTrigger. Hand the enrolments to campaigns.advance.advance_enrolments in the same transaction.
    """
    lock_entries(campaign_ids=[campaign_id])
    campaign = Campaign.objects.get(pk=campaign_id)
    if campaign.state != Campaign.State.ACTIVE or campaign.current_version_id is None:
        raise CannotTrigger(
            f"The campaign is {campaign.get_state_display().lower()}; only an active one takes entries."
        )
    entry = entry_of(version_id=campaign.current_version_id)
    people = {row.end_user_id for row in rows}
    inside = people
    if entry.rules is not None:
        context = Context(entry.brand_id, now, entry.time_zone)
        inside = audience_ids(rules=read_published(entry.rules), context=context, end_user_ids=people)
    offered = [row for row in rows if row.end_user_id in inside]
    candidates = [Candidate(row.end_user_id, f"{key}:{row.index}", None, row.data or None) for row in offered]
    entered = enrol(entry=entry, candidates=candidates, now=now)
    results = {row.index: OUTSIDE for row in rows} | {row.index: NOT_AGAIN for row in offered}
    never = set(EndUser.objects.filter(pk__in=people, never_contact=True).values_list("pk", flat=True))
    results |= {row.index: NEVER for row in rows if row.end_user_id in never}
    results |= _entered(entered, offered)
    return Triggered(results=results, enrolment_ids=entered)


def _entered(enrolment_ids: Sequence[int], offered: Sequence[TriggerRow]) -> dict[int, str]:
    """Return the rows of the new enrolments: by the number that ends the entry key or, once per person, by person."""
    by_person = {row.end_user_id: row.index for row in reversed(offered)}
    found = {}
    for person, key in Enrolment.objects.filter(pk__in=enrolment_ids).values_list("end_user_id", "entry_key"):
        _, colon, number = key.rpartition(":")
        found[int(number) if colon else by_person[person]] = ENTERED
    return found
