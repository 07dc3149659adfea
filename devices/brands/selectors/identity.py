"""What checking identity tokens has seen."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from devices.brands.models import Brand, IdentityKey, IdentityObservation

DAYS = 14
RECENT_DAYS = 2  # the days that readiness looks at: yesterday (UTC) and today


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome over the last 14 days (UTC), `by_day` oldest first, with its last example."""

    outcome: str
    count: int
    recent: int
    by_day: tuple[int, ...]
    last_at: datetime
    external_id: str
    origin: str
    kid: str


def observation_days(*, today: date) -> list[date]:
    """The days that `observations` counts, oldest first."""
    return [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]


def observations(*, brand: Brand, today: date) -> list[Seen]:
    """Each outcome that occurred in the last 14 days, most frequent first."""
    days = observation_days(today=today)
    rows: dict[str, list[IdentityObservation]] = {}
    for row in IdentityObservation.objects.filter(brand=brand, day__gte=days[0], day__lte=today):
        rows.setdefault(row.outcome, []).append(row)
    seen = []
    for outcome, of_outcome in rows.items():
        last = max(of_outcome, key=lambda row: row.last_at)
        by_day = tuple(sum(row.count for row in of_outcome if row.day == day) for day in days)
        seen.append(
            Seen(
                outcome=outcome,
                count=sum(by_day),
                recent=sum(by_day[-RECENT_DAYS:]),
                by_day=by_day,
                last_at=last.last_at,
                external_id=last.last_external_id,
                origin=last.last_origin,
                kid=last.last_kid,
            )
        )
    return sorted(seen, key=lambda one: (-one.count, one.outcome))


def active_keys(*, brand: Brand) -> int:
    """How many identity keys of the brand are not revoked."""
    return IdentityKey.objects.filter(brand=brand, revoked_at__isnull=True).count()
