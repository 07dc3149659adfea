"""How many end users rules select: exactly where that is quick, else an estimate from a sample, with its error.

The sample is drawn by bucket, which is a hash of the end user: at random, and the same ones for each change of the
rules. They are evaluated one by one by index, which costs no walk over the brand or its events.
"""

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devices.delivery.selectors.reach import pair_allows_sql, pair_device_sql
from devices.models import EndUser
from devices.people.models.end_users import BUCKETS
from devices.people.selectors.standing import HALVES_OF_ASK, Standing
from segments.compiler import condition_sql, counted_sql
from segments.conditions import Context
from segments.rules import Rules
from segments.selectors.bounded import Superseded, TooSlow, rows_within
from segments.sql import Sql, fill

FIRST_ANSWER = 0.9  # seconds, of which the exact count may take
QUICK = 0.4
EXACT = 15.0
_LIKELY_QUICK = 60_000  # the planner's units, of which a warm server does some 150,000 a second
_ENOUGH = 8_000  # end users: 1.1 % of the brand at most on either side
_FIRST = 100
_Z = 1.96  # 95 %

_REACH = f"""
  SELECT p.end_user_id AS id, bool_or(d.platform = 'web') AS web, bool_or(d.platform = 'android') AS android,
    bool_or(d.platform = 'ios') AS ios
  FROM {{people}} m JOIN devices_pushstatus p ON p.end_user_id = m.id AND {pair_allows_sql(pair="p")}
  LEFT JOIN devices_device d ON {pair_device_sql(pair="p", device="d")}
  WHERE coalesce(d.id, 0) <> 0  -- as in segments.core.devices: an inner join would be taken for a single row
  GROUP BY p.end_user_id
"""
# Each of the first four reads an index alone, beside the people: of a million that is a quarter of a second.
_COUNTS = f"""
SELECT (SELECT count(*) FROM {{people}}),
  (SELECT count(*) FROM {{people}} m JOIN devices_enduser n ON n.id = m.id AND n.never_contact AND n.brand_id = %s),
  (SELECT count(*) FROM {{people}} m JOIN devices_enduser u ON u.id = m.id AND u.brand_id = %s
     AND u.last_session_status = 'ask'),
  (SELECT count(*) FROM {{people}} m JOIN devices_enduser u ON u.id = m.id AND u.brand_id = %s
     AND {HALVES_OF_ASK[Standing.ASK_NEVER_VISITED]}),
  count(*), count(*) FILTER (WHERE web), count(*) FILTER (WHERE android),
  count(*) FILTER (WHERE ios) FROM ({{reach}}) r
"""


@dataclass(frozen=True)
class Count:
    """End users selected, give or take `error` (95 %; 0 when exact), of the `total` of the brand.

    `reachable` are those of them who are push enabled, `platforms` on which. `never_contact` are those whom no message
    may reach all the same. `ask` are those at Ask; of these `never_visited` cannot be asked before they come.
    """

    selected: int
    error: int
    total: int
    exact: bool
    reachable: int
    platforms: dict[str, int]
    never_contact: int = 0
    ask: int = 0
    never_visited: int = 0

    @property
    def ask_visited(self) -> int:
        """Number of people at Ask whom the site can ask, because they have visited."""
        return self.ask - self.never_visited

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.selected / self.total if self.total else 0.0


def audience_count(*, rules: Rules, context: Context, exact: bool, budget: float | None = None) -> Count:
    """How many the rules select, within so many seconds; raises TooSlow only where the exact number is asked for."""
    started = time.monotonic()
    seconds = budget if budget is not None else EXACT if exact else FIRST_ANSWER
    total = EndUser.objects.filter(brand_id=context.brand_id).count()
    people = fill("m AS MATERIALIZED ({})", counted_sql(rules, context))
    text = "WITH " + people.text + _COUNTS.replace("{reach}", _REACH).replace("{people}", "m")
    statement = Sql(text, (*people.params, *_brands(context.brand_id)))
    try:
        if exact:
            return _exact(statement, total, seconds)
        if _cost(statement) <= _LIKELY_QUICK:
            return _exact(statement, total, min(QUICK, seconds))
    except TooSlow as error:
        if exact or isinstance(error, Superseded):
            raise
    return _estimate(rules, context, total, started + seconds)


def _exact(statement: Sql, total: int, seconds: float) -> Count:
    milliseconds = int(seconds * 1000)
    [counts] = rows_within(text=statement.text, params=statement.params, milliseconds=milliseconds)
    selected, *_ = counts
    return _count(counts, error=0, total=max(total, selected), exact=True)


def _brands(brand_id: int) -> list[int]:
    """Return the parameters of _COUNTS: the brand, for each of its parts that reads people."""
    return [brand_id] * 3


def _count(counts: Sequence[int], *, error: int, total: int, exact: bool) -> Count:
    """The columns of _COUNTS as a Count."""
    selected, never_contact, ask, never_visited, reached, *platforms = counts
    by_platform = _by_platform(platforms)
    return Count(selected, error, total, exact, reached, by_platform, never_contact, ask, never_visited)


def _cost(statement: Sql) -> float:
    """What the planner expects it to cost, so that a slow one need not be begun."""
    [(explained,)] = rows_within(
        text=f"EXPLAIN (FORMAT JSON) {statement.text}", params=statement.params, milliseconds=int(QUICK * 1000)
    )
    plan = json.loads(explained) if isinstance(explained, str) else explained
    (only,) = plan
    return float(only["Plan"]["Total Cost"])


def _by_platform(counts: Sequence[int]) -> dict[str, int]:
    return dict(zip(("web", "android", "ios"), counts, strict=True))


def _estimate(rules: Rules, context: Context, total: int, until: float) -> Count:
    """From as many end users as the time allows, a hundred first to see what they cost."""
    looked_at, found = 0, [0] * 8
    condition = condition_sql(rules.rule, context)
    try:
        for people in _drawn(context.brand_id, total, until):
            started = time.monotonic()
            counts = _evaluated(condition, people, context.brand_id, until - started)
            looked_at += len(people)
            found = [one + other for one, other in zip(found, counts, strict=True)]
            # The next batch is three times as large.
            if looked_at >= _ENOUGH or time.monotonic() + 3 * (time.monotonic() - started) > until:
                break
    except Superseded:
        raise
    except TooSlow:
        pass  # what was seen until then counts
    if not looked_at:
        return Count(total // 2, total - total // 2, total, False, 0, _by_platform((0, 0, 0)))
    scaled = [round(number * total / looked_at) for number in found]
    selected, *_ = found
    error = math.ceil(total * margin(found=selected, looked_at=looked_at, total=total))
    return _count(scaled, error=error, total=total, exact=looked_at >= total)


def _drawn(brand_id: int, total: int, until: float) -> Iterator[list[int]]:
    """Ids of end users drawn at random, the same each time: a hundred, and then three times as many each time."""
    order = [number * 389 % BUCKETS for number in range(BUCKETS)]
    dice = random.Random(brand_id)  # noqa: S311  (nothing secret)
    pool: list[int] = []
    size = _FIRST
    while True:
        while order and len(pool) < size:
            wanted = max(1, (size - len(pool)) * BUCKETS // max(total, 1))
            rows = rows_within(
                text="SELECT id FROM devices_enduser WHERE brand_id = %s AND bucket = ANY(%s)",
                params=[brand_id, order[:wanted]],
                milliseconds=int((until - time.monotonic()) * 1000),
            )
            order, more = order[wanted:], sorted(pk for (pk,) in rows)
            dice.shuffle(more)
            pool += more
        if not pool:
            return
        yield pool[:size]
        pool = pool[size:]
        size *= 3


def _evaluated(condition: Sql, people: Sequence[int], brand_id: int, seconds: float) -> tuple[int, ...]:
    """Of these, the columns of _COUNTS."""
    selected = fill(
        "m AS MATERIALIZED (SELECT u.id FROM devices_enduser u WHERE u.id = ANY({}) AND ({}))", list(people), condition
    )
    counts = _COUNTS.replace("{reach}", _REACH).replace("{people}", "m")
    params = (*selected.params, *_brands(brand_id))
    [row] = rows_within(text=f"WITH {selected.text}{counts}", params=params, milliseconds=int(seconds * 1000))
    return row


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
