"""Everything on an end user's profile page, read in a fixed number of queries, and never another end user's data."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format

from campaigns.models import Enrolment, StepRun
from campaigns.words import EXIT_REASONS, activity_words, outcome_words
from devices.delivery.selectors.reach import pair_is_reached
from devices.installations.words import STATUS_CAUSES, STATUS_REASONS, TOKEN_ENDS
from devices.models import ConsentRecord, Device, EndUser, PushStatus, PushStatusChange, TokenHolding
from devices.people.selectors.categories import categories_in_use
from devices.people.selectors.preferences import OptOut, never_contact_behind, opt_out_behind, opt_out_is_own_word
from smartpush.backoffice.answers import answer_line, answered_by

DEVICES = 20
ENROLMENTS = 20
HISTORY = 200
ANSWERS = 5


@dataclass(frozen=True)
class DeviceCard:
    """One device as this end user knows it."""

    device: Device
    pair: PushStatus
    live: bool
    mine: bool
    changes: list[PushStatusChange]
    holdings: list[TokenHolding]

    @property
    def name(self) -> str:
        """Browser or platform, with what it runs on; only what was reported in this end user's own time."""
        device = self.device
        if device.platform != Device.Platform.WEB:
            return self._phone
        parts = [device.get_browser_display() or device.get_platform_display()]
        if self.mine and device.browser_version:
            parts.append(device.browser_version)
        if device.os:
            parts.append(f"on {_OS.get(device.os, device.os)}")
        return " ".join(parts)

    @property
    def _phone(self) -> str:
        device, platform = self.device, self.device.get_platform_display()
        if not self.mine:
            return f"App on {platform}"
        version = f" {device.app_version}" if device.app_version else ""
        system = f"{platform} {device.os_version}".strip()
        return f"App{version} on {f'{device.model}, ' if device.model else ''}{system}"

    @property
    def app(self) -> str:
        """The website or app that it belongs to, with its state."""
        return str(self.device.app)

    @property
    def archived(self) -> bool:
        """Whether that website or app is archived, so that nothing is sent to the device."""
        return self.device.app.archived_at is not None

    @property
    def reason(self) -> str:
        """Why the pair's status is what it is; '' where the status says it all."""
        return STATUS_REASONS.of(self.pair.reason)

    @property
    def unreachable(self) -> str:
        """Why its push address went."""
        return TOKEN_ENDS.of(self.device.unreachable_reason)

    @property
    def history(self) -> list[str]:
        """Its changes of status, then who held its push address when; the newest first."""
        return [*map(_change_line, self.changes), *map(_holding_line, self.holdings)]

    @property
    def icon(self) -> str:
        """Material symbol."""
        if self.device.platform != Device.Platform.WEB or self.device.form_factor == "mobile":
            return "smartphone"
        return "computer"


def _change_line(change: PushStatusChange) -> str:
    why = "; ".join(part for part in (STATUS_CAUSES.of(change.cause), STATUS_REASONS.of(change.reason)) if part)
    was = change.get_old_display() if change.old else "new"
    return f"{_moment(change.at)}: {was} → {change.get_new_display()} ({why})"


def _holding_line(holding: TokenHolding) -> str:
    line = f"Held the push address from {_moment(holding.since)} "
    if holding.until is None:
        return f"{line}until now"
    return f"{line}to {_moment(holding.until)} ({TOKEN_ENDS.of(holding.ended)})"


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M Y, H:i")


_OS = {
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "android": "Android",
    "ios": "iOS",
    "other": "another system",
}


@dataclass(frozen=True)
class Run:
    """One enrolment with its steps in order."""

    enrolment: Enrolment
    steps: list[StepRun]

    @property
    def ended(self) -> str:
        """Why it ended early, in words."""
        return EXIT_REASONS.of(self.enrolment.exit_reason)

    @property
    def at(self) -> str:
        """At which activity it is."""
        return activity_words(kind=self.enrolment.at_kind)

    @property
    def lines(self) -> list[tuple[datetime, str]]:
        """When it took which step, with the outcome."""
        return [(step.ran_at, _step_line(step)) for step in self.steps]


def _step_line(step: StepRun) -> str:
    words = (activity_words(kind=step.kind), outcome_words(kind=step.kind, outcome=step.outcome))
    return ", ".join(filter(None, words))


def device_cards(*, end_user: EndUser) -> list[DeviceCard]:
    """The devices of an end user, last reported first, with the history of each pair (three queries)."""
    pairs = list(
        PushStatus.objects.filter(end_user=end_user)
        .select_related("device__app")
        .defer(
            "device__secret_hash",
            "device__endpoint",
            "device__p256dh",
            "device__auth",
            "device__native_token",
            "device__app__fcm_credentials_encrypted",
        )
        .order_by("-reported_at")[:DEVICES]
    )
    ids = [pair.device_id for pair in pairs]
    changes: dict[int, list[PushStatusChange]] = defaultdict(list)
    found = PushStatusChange.objects.filter(end_user=end_user, device_id__in=ids).order_by("-at", "-id")
    for change in found[:HISTORY]:
        changes[change.device_id].append(change)
    holdings: dict[int, list[TokenHolding]] = defaultdict(list)
    held = TokenHolding.objects.filter(end_user=end_user, device_id__in=ids).order_by("-since", "-id")
    for holding in held[:HISTORY]:
        holdings[holding.device_id].append(holding)
    return [
        DeviceCard(
            device=pair.device,
            pair=pair,
            mine=end_user.pk in (pair.device.holder_id or end_user.pk, pair.device.session_end_user_id),
            live=pair_is_reached(pair=pair) and pair.device.app.archived_at is None,
            changes=changes[pair.device_id][:8],
            holdings=holdings[pair.device_id][:8],
        )
        for pair in pairs
    ]


def runs(*, end_user: EndUser) -> list[Run]:
    """The latest enrolments of an end user with their step runs (two queries)."""
    enrolments = list(
        Enrolment.objects.filter(end_user=end_user)
        .select_related("campaign", "version")
        .only(
            "state", "exit_reason", "at_kind", "waiting_for", "wake_at", "entered_at", "finished_at", "day",
            "end_user_id", "campaign__name", "version__number",
        )
        .order_by("-entered_at", "-id")[:ENROLMENTS]
    )  # fmt: skip
    steps: dict[int, list[StepRun]] = defaultdict(list)
    found = StepRun.objects.filter(
        enrolment_id__in=[run.pk for run in enrolments], day__in={run.day for run in enrolments}
    ).order_by("enrolment_id", "step_seq")
    for step in found[:500]:
        steps[step.enrolment_id].append(step)
    return [Run(enrolment=run, steps=steps[run.pk]) for run in enrolments]


def markers(*, end_user: EndUser) -> list[dict[str, Any]]:
    """The three sets of markers, with who may change each."""
    return [
        {"label": "JS markers", "by": "page code and campaigns", "values": end_user.js_markers},
        {"label": "External markers", "by": "your servers", "values": end_user.external_markers},
        {"label": "Back-office markers", "by": "staff and campaigns", "values": end_user.backoffice_markers},
    ]


@dataclass(frozen=True)
class Answer:
    """One line of the card: its record, what was answered and by whom."""

    record: ConsentRecord
    words: str
    by: str


@dataclass(frozen=True)
class Choices:
    """What an end user chose: the brand's categories ticked today, the two opt-outs, and the last answers as proof."""

    categories: list[str]
    offered: bool
    own: OptOut | None
    platform: OptOut | None
    never: OptOut | None
    own_word: bool
    answers: list[Answer]


def choices(*, end_user: EndUser) -> Choices:
    """The card *Consent and choices* (two queries, and one or two for each opt-out or mark that stands)."""
    in_use = categories_in_use(brand_id=end_user.brand_id)
    chosen = set(end_user.js_markers)
    person = end_user.pk
    rows = ConsentRecord.objects.filter(end_user_id=person).order_by("-at", "-id")[:ANSWERS]
    own = opt_out_behind(end_user_id=person, platform=False) if end_user.user_opt_out else None
    return Choices(
        categories=[row.name for row in in_use if row.marker in chosen],
        offered=bool(in_use),
        own=own,
        platform=opt_out_behind(end_user_id=person, platform=True) if end_user.platform_opt_out else None,
        never=never_contact_behind(end_user_id=person) if end_user.never_contact else None,
        own_word=opt_out_is_own_word(end_user=end_user),
        answers=[Answer(record=row, words=answer_line(row), by=answered_by(row)) for row in rows],
    )
