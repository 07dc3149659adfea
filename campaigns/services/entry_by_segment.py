"""Enter end users into campaigns when they enter or leave a watched segment.

Segments write a membership change for each; here they are claimed by set and marked as taken in the transaction that
enters the end users, so that a killed process loses none and enters nobody twice. The entry key holds the id of the
change: epochs restart where a segment was unwatched for longer than its changes are kept, ids never do.
"""

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from campaigns.selectors.entries import Entry, entries_watching
from campaigns.services.entry import Candidate, enrol
from campaigns.services.locks import lock_entries
from segments.conditions import Context
from segments.rules import EVERYONE, read_published
from segments.selectors.audiences import audience_ids
from segments.services.change_claiming import changes_claim

_KIND = {"entered": "segment_entered", "left": "segment_left"}


@transaction.atomic
def membership_changes_take(*, now: datetime, limit: int = 5000) -> int:
    """Take up to `limit` membership changes and enter their end users; returns how many: call again while not 0.

    The new enrolments are due at once: advance_due moves them on. Changes that no active campaign waits for are taken
    too, so that nobody enters for what happened while a campaign was paused.
    """
    # Before the first row, in one order, as everywhere: a publication may hold them.
    lock_entries(campaign_ids=[entry.campaign_id for entry in entries_watching()])
    taken = changes_claim(now=now, limit=limit)
    if not taken:
        return 0
    offered: dict[tuple[int, str], list[Candidate]] = defaultdict(list)
    for change in taken:
        candidate = Candidate(change.end_user_id, f"segment-{change.segment_id}-{change.kind}-{change.id}")
        offered[change.segment_id, _KIND[change.kind]].append(candidate)
    # Read again under the locks: what was published, paused or ended meanwhile counts.
    for entry in entries_watching():
        if entry.trigger_segment is not None:
            _enter(entry, offered.get((entry.trigger_segment, entry.trigger_kind), []), now)
    return len(taken)


def _enter(entry: Entry, candidates: list[Candidate], now: datetime) -> None:
    if not candidates:
        return
    rules = EVERYONE if entry.rules is None else read_published(entry.rules)
    context = Context(entry.brand_id, now, entry.time_zone)
    people = {candidate.end_user_id for candidate in candidates}
    # Of everybody too: who was erased since has no row to enter with.
    inside = audience_ids(rules=rules, context=context, end_user_ids=people)
    enrol(entry=entry, candidates=[row for row in candidates if row.end_user_id in inside], now=now)
