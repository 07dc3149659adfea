"""What segments can ask about pushes, popups and campaigns: registered when the app is ready.

A push to several devices is one message: counted once, and clicked when it was clicked on any of them.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from campaigns.models import Campaign
from devices.delivery.popup_outcomes import SAID, PopupOutcome, in_sql
from devices.models import PushCategory
from segments.arguments import Param, ParamKind, Period
from segments.conditions import Node, Related, Rows
from segments.fields import Asked, Field, Reads, Suggestion, counted, register
from segments.operators import Kind
from segments.sql import Sql, fill

IGNORED_AFTER = timedelta(days=1)
_OTHER = frozenset({Reads.OTHER})


def _campaigns(brand_id: int) -> list[tuple[int, str]]:
    return list(Campaign.objects.filter(brand_id=brand_id).order_by("name").values_list("pk", "name"))


def _check_category(brand_id: int, value: Any, given: Mapping[str, Any]) -> str | None:
    category = given.get("category")
    if category is None or PushCategory.objects.filter(brand_id=brand_id, marker=category).exists():
        return None
    return f"The brand has no push category {category}: choose one of its categories."


def _suggest_category(brand_id: int, argument: str, given: Mapping[str, str], typed: str) -> Sequence[Suggestion]:
    if argument != "category":
        return []
    wanted = typed.strip().lower()
    return [
        Suggestion(row.marker, f"{row.name} (archived)" if row.archived_at else row.name)
        for row in PushCategory.objects.filter(brand_id=brand_id).order_by("position", "name")
        if wanted in row.name.lower() or wanted in row.marker.lower()
    ][:50]


_CAMPAIGN = Param("campaign", "Of which campaign", ParamKind.REFERENCE, brand_choices=_campaigns, help="None: of any.")
_WITHIN = Param("within", "When", ParamKind.PERIOD)
_OF_CAMPAIGN = "{} IN (SELECT p.id FROM devices_dispatch p WHERE p.brand_id = {} AND p.campaign_ref = {})"
# Spelt as the condition of the index devices_dispatch_category.
_OF_CATEGORY = (
    "{} IN (SELECT p.id FROM devices_dispatch p WHERE p.brand_id = {}"
    " AND p.content ? 'category' AND p.content->>'category' = {})"
)


def _rows(asked: Asked, *, table: str, at: str, where: Sql) -> Rows:
    """The rows `r` of one table that meet the outcome, within the time that was asked for."""
    where = fill("r.brand_id = {} AND {}", asked.context.brand_id, where)
    source = Sql(f"{table} r")
    period: Period | None = asked.given.get("within")
    if period is not None:
        if period.moment.zone == "user":
            source = Sql(f"{table} r JOIN devices_enduser z ON z.id = r.end_user_id")
        where = where & period.holds(Sql(at), asked.context, Sql("z.time_zone"))
    return Rows(source, "r.end_user_id", where)


def _dispatched(asked: Asked, where: Sql) -> Sql:
    brand_id, campaign, category = asked.context.brand_id, asked.given.get("campaign"), asked.given.get("category")
    if campaign is not None:
        where = where & fill(_OF_CAMPAIGN, Sql("r.dispatch_id"), brand_id, campaign)
    if category is not None:
        where = where & fill(_OF_CATEGORY, Sql("r.dispatch_id"), brand_id, category)
    return where


# --- pushes ---
_SENT_AT = "coalesce(r.sent_at, r.created_at)"
_PUSH_AT = {
    "received": _SENT_AT,
    "displayed": "r.displayed_at",
    "clicked": "r.clicked_at",
    "ignored": _SENT_AT,
    "failed": "coalesce(r.finished_at, r.created_at)",
}
_PUSH_OUTCOMES = (
    ("received", "received"),
    ("displayed", "displayed"),
    ("clicked", "clicked"),
    ("ignored", "ignored"),
    ("failed", "failed"),
)
_PUSH_HELP = (
    "Received: a push service took it. Displayed and clicked come from the device, where its browser reports them."
    " Ignored: received at least a day ago and clicked on no device. Failed: refused, expired, or the device is gone."
)
_NOT_CLICKED_ELSEWHERE = """NOT EXISTS (SELECT FROM devices_delivery o
  WHERE o.end_user_id = r.end_user_id AND o.dispatch_id = r.dispatch_id AND o.clicked_at IS NOT NULL
    AND (o.enrolment_id, o.step_seq, o.request_id) IS NOT DISTINCT FROM (r.enrolment_id, r.step_seq, r.request_id))"""
_MESSAGES = Sql("count(DISTINCT (r.enrolment_id, r.step_seq, r.request_id))")


def _push_outcome(asked: Asked) -> Sql:
    match asked.given["outcome"]:
        case "received":
            return Sql("r.state = 'accepted'")
        case "displayed":
            return Sql("r.displayed_at IS NOT NULL")
        case "clicked":
            return Sql("r.clicked_at IS NOT NULL")
        case "failed":
            return Sql("r.state IN ('failed', 'gone', 'expired')")
    old = fill(f"r.state = 'accepted' AND {_SENT_AT} <= {{}}", asked.context.now - IGNORED_AFTER)
    return old & Sql(_NOT_CLICKED_ELSEWHERE)


def _push(asked: Asked) -> Node:
    outcome = asked.given["outcome"]
    where = _dispatched(asked, _push_outcome(asked))
    found = _rows(asked, table="devices_delivery", at=_PUSH_AT[outcome], where=where)
    if asked.operator.name == "happened" or (asked.operator.name == "at_least" and asked.value == 1):
        return Related((found,))
    return Related((Rows(found.source, found.key, found.where, asked.holds(_MESSAGES)),))


# --- popups ---
_IN_A_SENTENCE = frozenset({PopupOutcome.DISMISSED, PopupOutcome.CLICKED, PopupOutcome.NO_ANSWER})
"""Written small in rules; the others are names of buttons and of push statuses."""


def _worded(outcome: PopupOutcome) -> tuple[str, str]:
    return outcome.value, outcome.label.lower() if outcome in _IN_A_SENTENCE else outcome.label


# What nobody answered comes last.
_POPUP_OUTCOMES = (
    ("shown", "shown"),
    *(_worded(outcome) for outcome in sorted(PopupOutcome, key=lambda one: one is PopupOutcome.NO_ANSWER)),
)
# Only what end users said counts: a popup that ended without an answer leaves the one before it the last.
_ANSWERS = tuple(item for item in _POPUP_OUTCOMES if item[0] in SAID)


def _popups(asked: Asked) -> Rows:
    outcome = asked.given["outcome"]
    if outcome == "shown":
        at, where = "r.shown_at", Sql("r.shown_at IS NOT NULL")
    else:
        at, where = "r.finished_at", fill("r.state = {}", outcome)
    return _rows(asked, table="devices_popupoffer", at=at, where=_dispatched(asked, where))


_ANSWERED = f"{{0}}.state IN {in_sql(SAID)}"
_ASKS = (
    "{0}.dispatch_id IN (SELECT p.id FROM devices_dispatch p"
    " WHERE p.brand_id = {{brand}} AND p.content->'primary'->>'kind' = 'permission')"
)
_LAST_ANSWER = f"""r.brand_id = {{brand}} AND {_ANSWERED.format("r")} AND {_ASKS.format("r")}
  AND NOT EXISTS (SELECT FROM devices_popupoffer o
                  WHERE o.end_user_id = r.end_user_id AND o.brand_id = {{brand}} AND {_ANSWERED.format("o")}
                    AND (o.finished_at, o.id) > (r.finished_at, r.id) AND {_ASKS.format("o")})"""


def _last_answer(asked: Asked) -> Node:
    last = fill(_LAST_ANSWER, brand=asked.context.brand_id)
    where = fill("{} AND ({})", last, asked.holds(Sql("r.state")))
    return Related((Rows(Sql("devices_popupoffer r"), "r.end_user_id", where),))


# --- campaigns ---
_RUN_AT = {"entered": "r.entered_at", "inside": "r.entered_at", "finished": "r.finished_at", "exited": "r.finished_at"}
_RUN_STATE = {"inside": "active", "finished": "done", "exited": "exited"}


def _runs(asked: Asked) -> Rows:
    what, campaign = asked.given["outcome"], asked.given.get("campaign")
    where = fill("r.state = {}", _RUN_STATE[what]) if what in _RUN_STATE else Sql("r.state IS NOT NULL")
    if campaign is not None:
        where = where & fill("r.campaign_id = {}", campaign)
    return _rows(asked, table="campaigns_enrolment", at=_RUN_AT[what], where=where)


register(
    Field(
        "push",
        "Push",
        Kind.COUNT,
        _push,
        _OTHER,
        group="Messages",
        help=_PUSH_HELP,
        words="message notification sent delivered click opened",
        params=(
            Param("outcome", "What became of it", ParamKind.CHOICE, required=True, choices=_PUSH_OUTCOMES),
            _CAMPAIGN,
            Param("category", "About which category", ParamKind.NAME, help="What the push resource says it is about."),
            _WITHIN,
        ),
        suggest=_suggest_category,
        check=_check_category,
    )
)
register(
    Field(
        "popup",
        "Popup",
        Kind.COUNT,
        counted(_popups),
        _OTHER,
        group="Messages",
        words="soft onboarding prompt question click subscribe",
        params=(
            Param("outcome", "What became of it", ParamKind.CHOICE, required=True, choices=_POPUP_OUTCOMES),
            _CAMPAIGN,
            _WITHIN,
        ),
    )
)
register(
    Field(
        "popup_last_answer",
        "Last answer to a permission popup",
        Kind.CHOICE,
        _last_answer,
        _OTHER,
        _ANSWERS,
        group="Messages",
        words="soft onboarding prompt question subscribe",
        help="Of the popups that ask for permission: the answer that came last. Popups without an answer do not count.",
    )
)
register(
    Field(
        "campaign",
        "Campaign",
        Kind.COUNT,
        counted(_runs),
        _OTHER,
        group="Campaigns",
        words="journey flow",
        help="Entered: has been let in. Inside: is in it now. Finished: came to the end. Exited: was taken out before.",
        params=(
            Param(
                "outcome",
                "What they did",
                ParamKind.CHOICE,
                required=True,
                choices=(
                    ("entered", "entered"),
                    ("inside", "inside now"),
                    ("finished", "finished"),
                    ("exited", "exited"),
                ),
            ),
            Param("campaign", "Which campaign", ParamKind.REFERENCE, brand_choices=_campaigns, help="None: any."),
            _WITHIN,
        ),
    )
)
