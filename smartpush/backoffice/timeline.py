"""What happened to one end user, newest first: events, popups, deliveries and status changes in one list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from assets.selectors import popup_names, push_names
from devices.delivery.words import DELIVERY_REASONS
from devices.installations.words import STATUS_CAUSES, STATUS_REASONS
from devices.models import ConsentRecord, Delivery, EndUser, Event, PopupOffer, PushStatusChange, Status
from smartpush.backoffice.answers import answer_line, answered_by
from smartpush.common.language.languages import language_label

PAGE = 25
LAST_PAGE = 40

_STATUS = dict(Status.choices)
_ICONS = {
    "event": "bolt",
    "popup": "ad_units",
    "push": "notifications",
    "status": "toggle_on",
    "consent": "verified_user",
}
_GOOD = {"accepted", "allowed", "clicked"}
_BAD = {"failed", "gone", "blocked", "unknown"}


@dataclass(frozen=True)
class Happening:
    """One line of the timeline."""

    at: datetime
    kind: str
    title: str
    detail: str
    state: str
    state_label: str

    @property
    def icon(self) -> str:
        """Material symbol of the kind."""
        return _ICONS[self.kind]

    @property
    def tone(self) -> str:
        """Colour of the state's badge."""
        return "good" if self.state in _GOOD else "bad" if self.state in _BAD else "plain"


def _event(row: Event) -> Happening:
    pairs = ", ".join(f"{key}: {value}" for key, value in list(row.properties.items())[:6])
    return Happening(row.occurred_at, "event", row.name, pairs[:300], "", "")


def _popup(row: PopupOffer, name: str) -> Happening:
    title, detail = (name, str(row.dispatch)) if name else (str(row.dispatch), "")
    return Happening(row.created_at, "popup", f"Popup: {title}", detail, row.state, row.get_state_display())


def _push(row: Delivery, name: str) -> Happening:
    marks = [str(row.dispatch)] if name else []
    marks += [
        f"{word} {timezone.localtime(moment):%d %b %H:%M}"
        for word, moment in (
            ("sent", row.sent_at),
            ("displayed", row.displayed_at),
            ("clicked", row.clicked_at),
            ("closed", row.closed_at),
        )
        if moment is not None
    ]
    why = row.reason or row.hold_reason
    if why:
        marks.append(DELIVERY_REASONS.of(why))
    return Happening(
        row.created_at, "push", f"Push: {name or row.dispatch}", ", ".join(marks), row.state, row.get_state_display()
    )


def _status(row: PushStatusChange) -> Happening:
    title = f"Push status: {_STATUS.get(row.old, 'new')} → {_STATUS[row.new]}"
    detail = "; ".join(part for part in (STATUS_CAUSES.of(row.cause), STATUS_REASONS.of(row.reason)) if part)
    return Happening(row.at, "status", title, detail, row.new, "")


def _consent(row: ConsentRecord) -> Happening:
    parts = [f"by {answered_by(row)}"]
    parts += [text for text in (", ".join(row.markers), language_label(row.language), row.origin) if text]
    return Happening(row.at, "consent", answer_line(row), "; ".join(parts), "", "")


def _with_revisions(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Newest first, each with its dispatch and the revision that it sends, without the content."""
    named = rows.annotate(revision=F("dispatch__content__revision"))
    return named.select_related("dispatch").defer("dispatch__content").order_by("-created_at", "-id")


def timeline(*, end_user: EndUser, page: int) -> tuple[list[Happening], bool]:
    """One page (from 1, at most `LAST_PAGE`) of the timeline, and whether there is another."""
    page = max(1, min(page, LAST_PAGE))
    wanted = page * PAGE + 1
    events = Event.objects.filter(end_user=end_user).order_by("-occurred_at", "-id")[:wanted]
    consents = ConsentRecord.objects.filter(end_user_id=end_user.pk).order_by("-at", "-id")[:wanted]
    changes = PushStatusChange.objects.filter(end_user=end_user).order_by("-at", "-id")[:wanted]
    popups = _with_revisions(PopupOffer.objects.filter(end_user=end_user))[:wanted]
    pushes = _with_revisions(Delivery.objects.filter(end_user=end_user))[:wanted]
    popup_name = popup_names(row.revision for row in popups if row.revision)
    push_name = push_names(row.revision for row in pushes if row.revision)
    found = [
        *(_event(row) for row in events),
        *(_popup(row, popup_name.get(row.revision, "")) for row in popups),
        *(_push(row, push_name.get(row.revision, "")) for row in pushes),
        *(_status(row) for row in changes),
        *(_consent(row) for row in consents),
    ]
    found.sort(key=lambda happening: happening.at, reverse=True)
    return found[(page - 1) * PAGE : page * PAGE], len(found) > page * PAGE and page < LAST_PAGE
