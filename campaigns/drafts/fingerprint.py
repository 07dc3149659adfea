"""The fingerprint of what a review shows: all that decides what would run.

The review page carries it to *Activate*, which compares it with what would run then. `changes.py` says in words what is
different.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.utils import timezone
from django.utils.formats import date_format

from campaigns.activities import registry
from campaigns.drafts.reading import Draft, Selection
from campaigns.journey.lengths import length
from campaigns.journey.parse import Activity
from campaigns.models import Campaign
from segments.models import Segment, SegmentImport
from segments.rules import rules_json

_SALT = "campaigns.review"
# Kinds of parts that belong to a resource; their keys go on with the kind of activity and the id.
RESOURCE, CATEGORIES = "resource", "categories"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that decides what will run. `digest` is compared, `words` is the value for people where it is short."""

    label: str
    digest: str
    words: str = ""


Reviewed = Mapping[str, Part]


def review_parts(*, draft: Draft, now: datetime) -> dict[str, Part]:
    """List what decides what will run, by a key for each."""
    return dict(_parts(draft, now))


def review_token(*, draft: Draft, now: datetime) -> str:
    """Pack the parts for the review page's form, signed for this campaign."""
    parts = review_parts(draft=draft, now=now)
    packed = {key: [part.label, part.digest, part.words] for key, part in parts.items()}
    return signing.dumps(packed, salt=f"{_SALT}:{draft.campaign.pk}", compress=True)


def review_read(*, token: str, campaign: Campaign) -> Reviewed | None:
    """Unpack what the form carried; None where that is no review of this campaign."""
    try:
        packed = signing.loads(token, salt=f"{_SALT}:{campaign.pk}")
    except signing.BadSignature:
        return None
    return {key: Part(*values) for key, values in packed.items()}


def review_different(*, parts: Reviewed, reviewed: Reviewed) -> list[str]:
    """List the keys of what came, went or has another value, in the order of the review."""
    return [
        key
        for key in {**reviewed, **parts}
        if key not in reviewed or key not in parts or reviewed[key].digest != parts[key].digest
    ]


# --- what decides ---
def _parts(draft: Draft, now: datetime) -> Iterator[tuple[str, Part]]:
    campaign = draft.campaign
    version = campaign.current_version
    yield "version", Part("Version", str(campaign.current_version_id), str(version.number) if version else "none")
    yield "state", _value("State", campaign.get_state_display())
    yield from _entry(campaign, now)
    for name, label, selection in (
        ("audience", "Audience", draft.audience),
        ("trigger", "Segment watched", draft.trigger),
    ):
        yield name, Part(label, str(selection.segment.pk if selection.segment else None), _named(selection))
        yield from _behind(selection)
    yield "flow", _value("First activity", _place(draft, draft.flow.start))
    for activity in draft.flow.activities:
        yield f"activity:{activity.key}", Part(_activity_words(draft, activity), _digest(_activity_values(activity)))
    for kind, rows in draft.resources.items():
        for pk, row in rows.items():
            yield f"{RESOURCE}:{kind}:{pk}", Part(str(row), str(row.current_revision_id))
            # Words that are the brand's of today: a revision alone does not say what is shown.
            words = registry.resources()[kind].words_of_the_brand(content=draft.contents[kind, pk])
            if words is not None:
                yield f"{CATEGORIES}:{kind}:{pk}", Part(str(row), _digest(words))


def _entry(campaign: Campaign, now: datetime) -> Iterator[tuple[str, Part]]:
    yield "kind", _value("Kind", campaign.get_kind_display())
    if campaign.kind == Campaign.Kind.SCHEDULED:
        at = campaign.scheduled_at
        yield "scheduled_at", Part("Start", at.isoformat() if at else "", when_words(at) if at else "not chosen")
        yield "starts_at_once", _value("Starts at once", "yes" if at is not None and at <= now else "no")
    else:
        yield "trigger_kind", _value("Trigger", campaign.get_trigger_kind_display())
        if campaign.trigger_kind == Campaign.Trigger.EVENT:
            yield "trigger_event", _value("Event", campaign.trigger_event)
    yield "entry_mode", _value("How often", campaign.get_entry_mode_display())
    interval = length(campaign.entry_interval) if campaign.entry_interval else "none"
    yield "entry_interval", _value("Minimum time between entries", interval)
    yield "purpose", _value("Purpose", campaign.get_purpose_display())


def _behind(selection: Selection) -> Iterator[tuple[str, Part]]:
    if selection.audience is None:
        if selection.problem:
            yield (
                f"unreadable:{selection.segment.pk if selection.segment else ''}",
                _value("Segment", selection.problem),
            )
        return
    ids = {*selection.audience.behind, *selection.audience.lists}
    names = dict(Segment.objects.filter(pk__in=ids).values_list("pk", "name"))
    for pk, rules in sorted(selection.audience.behind.items()):
        yield f"rules:{pk}", Part(names.get(pk, ""), _digest(rules_json(rules)))
    done = SegmentImport.objects.filter(segment__in=selection.audience.lists, state=SegmentImport.State.DONE)
    last = dict(done.order_by("segment", "finished_at", "pk").values_list("segment", "pk"))
    for pk in sorted(selection.audience.lists):
        yield f"list:{pk}", Part(names.get(pk, ""), str(last.get(pk, "")))


def _value(label: str, words: str) -> Part:
    return Part(label, words, words)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:20]


def _named(selection: Selection) -> str:
    return str(selection.segment) if selection.segment is not None else "Everybody"


def _place(draft: Draft, key: str) -> str:
    numbers = {activity.key: number for number, activity in enumerate(draft.flow.activities, start=1)}
    return str(numbers.get(key, "none"))


def _activity_values(activity: Activity) -> list[Any]:
    return [activity.kind.name, asdict(activity.settings), dict(activity.next)]


def _activity_words(draft: Draft, activity: Activity) -> str:
    resource = draft.resource(activity)
    name = f" “{resource}”" if resource is not None else ""
    return f"Activity {_place(draft, activity.key)} ({activity.kind.title.lower()}{name})"


def when_words(at: datetime) -> str:
    """The time in the zone of whoever looks, with its day unless that is today."""
    local = timezone.localtime(at)
    return date_format(local, "H:i" if local.date() == timezone.localdate() else "j M Y, H:i")
