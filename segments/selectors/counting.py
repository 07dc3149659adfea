"""How many end users rules select: exactly where that is quick, else an estimate from a sample, with its error.

The sample is of whole buckets: a bucket is a hash of the end user, so that they are drawn at random, and the same ones
for each change of the rules. They are judged one by one by index, which costs no walk over the brand or its events.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devices.models import EndUser
from devices.models.end_users import BUCKETS
from segments.compiler import audience_sql, judge_sql
from segments.conditions import Context
from segments.rules import Rules
from segments.selectors.bounded import TooSlow, rows_within
from segments.sql import Sql, fill

FIRST_ANSWER = 0.9  # seconds, of which the exact count may take
QUICK = 0.4
EXACT = 15.0
_ENOUGH = 8_000  # end users: 1.1 % of the brand at most on either side
_SMALL = 500
_Z = 1.96  # 95 %

_REACH = """
  SELECT p.end_user_id AS id, bool_or(d.platform = 'web') AS web, bool_or(d.platform = 'android') AS android,
    bool_or(d.platform = 'ios') AS ios
  FROM {people} m JOIN devices_pushstatus p ON p.end_user_id = m.id AND p.status = 'allowed'
  JOIN devices_device d ON d.id = p.device_id AND d.token_hash IS NOT NULL AND d.holder_id = p.end_user_id
  GROUP BY p.end_user_id
"""
_COUNTS = """
SELECT (SELECT count(*) FROM {people}), count(*), count(*) FILTER (WHERE web), count(*) FILTER (WHERE android),
  count(*) FILTER (WHERE ios) FROM ({reach}) r
"""


@dataclass(frozen=True)
class Count:
    """End users selected, give or take `error` (95 %; 0 when exact), of the `total` of the brand.

    `reachable` are those of them whom a push reaches now, `platforms` on which.
    """

    selected: int
    error: int
    total: int
    exact: bool
    reachable: int
    platforms: dict[str, int]

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.selected / self.total if self.total else 0.0


def audience_count(*, rules: Rules, context: Context, exact: bool, budget: float | None = None) -> Count:
    """How many the rules select, within so many seconds; raises TooSlow only where the exact number is asked for."""
    started = time.monotonic()
    seconds = budget if budget is not None else EXACT if exact else FIRST_ANSWER
    total = EndUser.objects.filter(brand_id=context.brand_id).count()
    try:
        return _exact(rules, context, total, seconds if exact else min(QUICK, seconds))
    except TooSlow:
        if exact:
            raise
    return _estimate(rules, context, total, started + seconds)


def _exact(rules: Rules, context: Context, total: int, seconds: float) -> Count:
    people = fill("m AS MATERIALIZED ({})", audience_sql(rules, context))
    counts = _counts(people, seconds)
    return Count(counts[0], 0, total, True, counts[1], _by_platform(counts[2:]))


def _counts(people: Sql, seconds: float) -> tuple[int, ...]:
    text = "WITH " + people.text + _COUNTS.replace("{reach}", _REACH).replace("{people}", "m")
    return rows_within(text=text, params=people.params, milliseconds=int(seconds * 1000))[0]


def _by_platform(counts: Sequence[int]) -> dict[str, int]:
    return dict(zip(("web", "android", "ios"), counts, strict=True))


def _estimate(rules: Rules, context: Context, total: int, until: float) -> Count:
    """From as many buckets as the time allows, a few first to see what they cost."""
    looked_at, found = 0, [0] * 5
    judged = judge_sql(rules.rule, context)
    for buckets in _batches(total):
        started = time.monotonic()
        try:
            looked, counts = _judged(judged, context.brand_id, buckets, until - started)
        except TooSlow:
            break
        looked_at += looked
        found = [one + other for one, other in zip(found, counts, strict=True)]
        # The next batch is up to four times as large.
        if looked_at >= _ENOUGH or time.monotonic() + 4 * (time.monotonic() - started) > until:
            break
    if not looked_at:
        return Count(total // 2, total - total // 2, total, False, 0, _by_platform((0, 0, 0)))
    scaled = [round(number * total / looked_at) for number in found]
    error = math.ceil(total * margin(found=found[0], looked_at=looked_at, total=total))
    return Count(scaled[0], error, total, False, scaled[1], _by_platform(scaled[2:]))


def _batches(total: int) -> Iterator[list[int]]:
    """Buckets in a fixed order that mixes them, in batches that begin with some 500 end users and grow fourfold."""
    order = [number * 389 % BUCKETS for number in range(BUCKETS)]
    size = max(1, _SMALL * BUCKETS // max(total, 1))
    while order:
        yield order[:size]
        order = order[size:]
        size *= 4


def _judged(judged: Sql, brand_id: int, buckets: Sequence[int], seconds: float) -> tuple[int, tuple[int, ...]]:
    people = fill(
        "s AS MATERIALIZED (SELECT u.id, ({}) IS TRUE AS held FROM devices_enduser u"
        " WHERE u.brand_id = {} AND u.bucket = ANY({})), m AS (SELECT id FROM s WHERE held)",
        judged,
        brand_id,
        list(buckets),
    )
    counts = _COUNTS.replace("{reach}", _REACH).replace("{people}", "m")
    text = f"WITH {people.text} SELECT (SELECT count(*) FROM s), c.* FROM ({counts}) c(f, r, w, a, i)"
    looked, *rest = rows_within(text=text, params=people.params, milliseconds=int(seconds * 1000))[0]
    return looked, tuple(rest)


def margin(*, found: int, looked_at: int, total: int) -> float:
    """The 95 % error of a share, 0 to 1: the longer side of Wilson's interval, for a sample of a finite population.

    It holds for shares near 0 and 1 too: where nobody or everybody of the sample matched it is a little more than the
    rule of three (3 / n).
    """
    if looked_at >= total:
        return 0.0
    size = looked_at * (total - 1) / (total - looked_at)  # what it is worth as a sample of endless many
    share = found / looked_at
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z / (1 + _Z**2 / size) * math.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    return max(middle + half - share, share - (middle - half))
