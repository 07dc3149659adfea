"""Scheduled campaigns: at their time the whole audience enters, slice by slice.

Each slice of buckets is one transaction that also moves the launch's `next_bucket` on; a process killed in the middle
leaves whole slices behind, and the next call goes on there. The entry key is the slot, so that even a slice entered
again enters nobody twice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from campaigns.models import Campaign, Launch
from campaigns.selectors.entries import Entry, entry_of, slots_due
from campaigns.services.entry import Candidate, enrol
from campaigns.services.locks import lock_entries
from devices.models import EndUser
from devices.people.models.end_users import BUCKETS
from segments.compiler import condition_sql
from segments.conditions import Context
from segments.rules import EVERYONE, read_published
from smartpush.common.database import statements
from smartpush.common.database.statistics import statistics_refresh

MAX_AHEAD = timedelta(days=731)
TOO_FAR = "A campaign starts at most two years ahead."
SLICE = 5000  # end users of the brand that one transaction looks at


@dataclass(frozen=True, slots=True)
class LaunchResult:
    """`slices` of audiences that were let in (call again while not 0) and how many end users `entered`."""

    slices: int
    entered: int


def launch_due(*, now: datetime, max_slices: int = 4) -> LaunchResult:
    """Begin the launches whose time has come and let in up to `max_slices` slices of those under way.

    A campaign whose last slice is in is executed.
    """
    for due in slots_due(now=now):
        _begin(campaign_id=due.campaign_id, brand_id=due.brand_id, slot=due.slot, now=now)
    entered: list[int] = []
    while len(entered) < max_slices:
        count = _next_slice(now=now)
        if count is None:
            break
        entered.append(count)
    return LaunchResult(slices=len(entered), entered=sum(entered))


_READ_BY_AUDIENCES = ("devices_enduser", "devices_device", "devices_pushstatus", "campaigns_enrolment")


def slot_key(slot: datetime) -> str:
    """The entry key of a schedule slot: ISO, UTC."""
    return slot.astimezone(UTC).isoformat()


def _begin(*, campaign_id: int, brand_id: int, slot: datetime, now: datetime) -> None:
    statistics_refresh(tables=_READ_BY_AUDIENCES)
    people = EndUser.objects.filter(brand_id=brand_id).count()
    width = max(1, min(BUCKETS, BUCKETS * SLICE // max(people, 1)))
    Launch.objects.bulk_create(
        [Launch(campaign_id=campaign_id, slot=slot, slice_width=width, started_at=now)], ignore_conflicts=True
    )


@transaction.atomic
def _next_slice(*, now: datetime) -> int | None:
    """Let in one slice and return how many entered; None when nothing is under way that is free to take."""
    launch = (
        Launch.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(finished_at=None, campaign__state=Campaign.State.ACTIVE)
        .select_related("campaign")
        .order_by("started_at", "pk")
        .first()
    )
    if launch is None:
        return None
    lock_entries(campaign_ids=[launch.campaign_id])
    campaign = Campaign.objects.get(pk=launch.campaign_id)
    if campaign.state != Campaign.State.ACTIVE or campaign.current_version_id is None:
        return None
    entry = entry_of(version_id=campaign.current_version_id)
    until = min(BUCKETS, launch.next_bucket + launch.slice_width)
    people = _audience(entry=entry, first=launch.next_bucket, until=until, now=now)
    key = slot_key(launch.slot)
    entered = len(enrol(entry=entry, candidates=[Candidate(person, key) for person in people], now=now))
    launch.next_bucket = until
    launch.entered += entered
    if until < BUCKETS:
        launch.save(update_fields=["next_bucket", "entered"])
        return entered
    launch.finished_at = now
    launch.save(update_fields=["next_bucket", "entered", "finished_at"])
    Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.ACTIVE).update(
        state=Campaign.State.EXECUTED, launched_at=now
    )
    return entered


def _audience(*, entry: Entry, first: int, until: int, now: datetime) -> list[int]:
    rules = EVERYONE if entry.rules is None else read_published(entry.rules)
    # A slice is some thousands of end users, evaluated by index: as a set the audience would be found anew each time.
    held = condition_sql(rules.rule, Context(entry.brand_id, now, entry.time_zone))
    return statements.column(
        "SELECT u.id FROM devices_enduser u WHERE u.brand_id = %s AND u.bucket >= %s AND u.bucket < %s"
        f" AND ({held.text}) ORDER BY u.id",
        [entry.brand_id, first, until, *held.params],
    )
