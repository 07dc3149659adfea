"""The changes since a review, each in a sentence with its author and time where they are known."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from campaigns.activities import registry
from campaigns.drafts.fingerprint import (
    RESOURCE,
    Part,
    Reviewed,
    review_different,
    review_parts,
    when_words,
)
from campaigns.drafts.reading import Draft
from campaigns.models import Campaign
from segments.models import Segment, SegmentImport

_LOGGED_WITHIN = timedelta(minutes=1)  # the admin writes its log after the row, in the same request


@dataclass(frozen=True, slots=True)
class _Change:
    """One part that is different; `old` or `new` is None where it came or went."""

    kind: str
    id: str
    old: Part | None
    new: Part | None


def review_changes(*, draft: Draft, reviewed: Reviewed, now: datetime) -> list[str]:
    """Say what is different from what was reviewed, a sentence each; empty where nothing is."""
    parts = review_parts(draft=draft, now=now)
    keys = review_different(parts=parts, reviewed=reviewed)
    if not keys:
        return []
    words = _Words(draft, keys)
    sentences = [words.sentence(_Change(*key.partition(":")[::2], reviewed.get(key), parts.get(key))) for key in keys]
    return list(dict.fromkeys(filter(None, sentences))) or ["What would run is not what you reviewed."]


class _Words:
    """Each kind of part has its sentence; one that comes or goes with another is said of that one."""

    def __init__(self, draft: Draft, keys: Collection[str]) -> None:
        self.draft, self.keys = draft, keys
        self.edited = _campaign_edited(draft.campaign, by_form=True)

    def sentence(self, change: _Change) -> str:
        """The sentence, or '' where another one says it."""
        own = getattr(self, f"_of_{change.kind}", None)
        if own is not None:
            return str(own(change))
        if change.old is None or change.new is None:  # it belongs to the kind of campaign, which is said
            return ""
        was, now = change.old.words or "empty", change.new.words or "empty"
        return f"{change.new.label}: was {was}, is now {now}{self.edited}."

    def _of_version(self, change: _Change) -> str:
        version = self.draft.campaign.current_version
        if version is None or change.new is None:
            return ""
        return f"Version {change.new.words} was published{_by(version.published_by, version.published_at)}."

    def _of_state(self, change: _Change) -> str:
        if "version" in self.keys or change.new is None or change.old is None:
            return ""
        was, now = change.old.words.lower(), change.new.words.lower()
        return f"The campaign was {was} and is now {now}{_campaign_edited(self.draft.campaign)}."

    def _of_starts_at_once(self, change: _Change) -> str:
        if change.new is None or change.new.words != "yes" or "scheduled_at" in self.keys:
            return ""
        return "The time of its start has passed: it would start at once."

    def _of_flow(self, change: _Change) -> str:
        if change.new is None or any(key.startswith("activity:") for key in self.keys):
            return ""
        return f"The journey begins with activity {change.new.words} now{self.edited}."

    def _of_activity(self, change: _Change) -> str:
        if change.new is None:
            return f"{change.old.label if change.old else 'An activity'} was taken out{self.edited}."
        return f"{change.new.label} was {'added' if change.old is None else 'changed'}{self.edited}."

    def _of_resource(self, change: _Change) -> str:
        kind, _, pk = change.id.partition(":")
        noun = registry.kinds()[kind].title.lower()
        if change.new is not None and change.old is not None:
            revision = self.draft.resources[kind][int(pk)].current_revision
            return f"The {noun} “{change.new.label}” was edited{_by(revision.created_by, revision.created_at)}."
        named = any(one.kind.name == kind and one.resource == int(pk) for one in self.draft.flow.activities)
        if change.old is not None and named:
            return f"The {noun} “{change.old.label}” was archived or deleted."
        return ""

    def _of_categories(self, change: _Change) -> str:
        if change.old is None or change.new is None or f"{RESOURCE}:{change.id}" in self.keys:
            return ""
        kind, _, _ = change.id.partition(":")
        noun = registry.kinds()[kind].title.lower()
        return f"The categories that the {noun} “{change.new.label}” offers have other words, or others are left."

    def _of_rules(self, change: _Change) -> str:
        if change.old is None or change.new is None:
            return ""
        return f"The segment “{change.new.label}” has other rules{_segment_edited(int(change.id))}."

    def _of_list(self, change: _Change) -> str:
        if change.old is None or change.new is None:
            return ""
        job = SegmentImport.objects.select_related("created_by").filter(pk=int(change.new.digest or 0)).first()
        who = _by(job.created_by, job.finished_at) if job is not None else ""
        return f"The imported segment “{change.new.label}” was changed by an import{who}."

    def _of_unreadable(self, change: _Change) -> str:
        return f"A segment cannot be used any more: {change.new.words}" if change.new is not None else ""


def _campaign_edited(campaign: Campaign, *, by_form: bool = False) -> str:
    """Return the last author of a change; `by_form` leaves out changes of state, which have a reason in the history."""
    rows = campaign.history.select_related("history_user").order_by("-history_date", "-history_id")
    last = (rows.filter(history_change_reason=None) if by_form else rows).first()
    return _by(last.history_user, last.history_date, verb="edited" if by_form else "changed") if last else ""


def _segment_edited(segment_id: int) -> str:
    """Return author and time by the log of the back office; a program has no name there."""
    segment = Segment.objects.filter(pk=segment_id).first()
    if segment is None:
        return ""
    logged = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Segment),
        object_id=str(segment_id),
        action_flag__in=[ADDITION, CHANGE],
        action_time__range=(segment.updated_at, segment.updated_at + _LOGGED_WITHIN),
    )
    entry = logged.select_related("user").order_by("action_time").first()
    return _by(entry.user if entry is not None else None, segment.updated_at, verb="edited")


def _by(who: Any, at: datetime | None, *, verb: str = "") -> str:
    """` by Ann at 14:03`, or ` (edited by Ann at 14:03)`, as far as it is known."""
    name = (who.get_full_name() or who.get_username()) if who is not None else ""
    words = [f"by {name}"] if name else []
    words += [f"at {when_words(at)}"] if at is not None else []
    if not words:
        return ""
    return f" ({verb} {' '.join(words)})" if verb else f" {' '.join(words)}"
