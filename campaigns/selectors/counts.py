"""What a campaign has done so far, activity by activity."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import connection

from campaigns.models import Campaign


@dataclass(slots=True)
class ActivityCounts:
    """One activity over all versions. `outcomes` of its step runs, `messages` by delivery state, `failed` by reason."""

    key: str
    kind: str
    runs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    offered: int = 0
    shown: int = 0
    asked: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    displayed: int = 0
    clicked: int = 0
    closed: int = 0
    failed: dict[str, int] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Messages in the push service's hands; not yet known to have reached anybody."""
        return self.messages.get("accepted", 0)


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """Runs by where they are, and every activity that has run, by key."""

    entered: int
    active: int
    done: int
    exited: int
    activities: Mapping[str, ActivityCounts]


_RUNS = """
SELECT r.key, r.kind, r.outcome, count(*)
FROM campaigns_steprun r
WHERE r.version_id IN (SELECT id FROM campaigns_campaignversion WHERE campaign_id = %s)
GROUP BY 1, 2, 3
"""
_KEY = "split_part(p.source_key, ':', 2)"
_OFFERS = f"""
SELECT {_KEY}, count(*), count(o.shown_at), count(o.asked_at)
FROM devices_dispatch p JOIN devices_popupoffer o ON o.dispatch_id = p.id
WHERE p.campaign_ref = %s
GROUP BY 1
"""
_MESSAGES = f"""
SELECT {_KEY}, d.state, d.reason, count(*), count(d.displayed_at), count(d.clicked_at), count(d.closed_at)
FROM devices_dispatch p JOIN devices_delivery d ON d.dispatch_id = p.id AND d.day = p.day
WHERE p.campaign_ref = %s
GROUP BY 1, 2, 3
"""


def campaign_counts(*, campaign: Campaign) -> CampaignCounts:
    """Everything that a campaign's page counts, in four queries."""
    activities: dict[str, ActivityCounts] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM campaigns_enrolment WHERE campaign_id = %s GROUP BY 1", [campaign.pk]
        )
        states: dict[str, int] = dict(cursor.fetchall())
        cursor.execute(_RUNS, [campaign.pk])
        for key, kind, outcome, count in cursor.fetchall():
            activity = activities.setdefault(key, ActivityCounts(key, kind))
            activity.runs += count
            if outcome:
                activity.outcomes[outcome] = activity.outcomes.get(outcome, 0) + count
        cursor.execute(_OFFERS, [campaign.pk])
        for key, offered, shown, asked in cursor.fetchall():
            activity = activities.setdefault(key, ActivityCounts(key, "popup"))
            activity.offered, activity.shown, activity.asked = offered, shown, asked
        cursor.execute(_MESSAGES, [campaign.pk])
        for key, state, reason, count, displayed, clicked, closed in cursor.fetchall():
            activity = activities.setdefault(key, ActivityCounts(key, "push"))
            activity.messages[state] = activity.messages.get(state, 0) + count
            activity.displayed += displayed
            activity.clicked += clicked
            activity.closed += closed
            if state not in ("ready", "sending", "accepted"):
                activity.failed[reason] = activity.failed.get(reason, 0) + count
    return CampaignCounts(
        entered=sum(states.values()),
        active=states.get("active", 0),
        done=states.get("done", 0),
        exited=states.get("exited", 0),
        activities=activities,
    )
