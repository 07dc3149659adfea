"""What is asked of the data set: as rules, and as somebody who knows the tables would write it by hand.

Per cent signs are doubled, as for a statement with parameters.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.benchmarks._segments_data import BRAND, NOW

QUICK, EVENTS = 1.0, 6.0  # seconds


@dataclass(frozen=True)
class Question:
    """`sql` counts by hand; `within`: how many seconds the count may take, warm."""

    name: str
    rule: dict[str, Any]
    sql: str
    within: float


def _rule(field: str, operator: str, value: Any = None, **params: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {"field": field, "operator": operator}
    return rule | ({"params": params} if params else {}) | ({} if value is None else {"value": value})


def _days(count: int) -> dict[str, Any]:
    return {"count": count, "unit": "day", "zone": "brand"}


def _within(days: int) -> dict[str, Any]:
    return {"operator": "in_the_last", "value": _days(days)}


def _ago(days: int) -> str:
    # Wall clock of Berlin: 25 October 2026 ended its summer time.
    back = NOW - timedelta(days=days)
    return f"'{back - timedelta(hours=1 if back < datetime.fromisoformat('2026-10-25T01:00Z') else 0)}'"


def _users(where: str) -> str:
    return f"SELECT count(*) FROM devices_enduser WHERE brand_id = {BRAND} AND {where}"


def _event_users(where: str, least: int = 1) -> str:
    return (
        f"SELECT end_user_id FROM devices_event WHERE brand_id = {BRAND} AND {where}"
        f" GROUP BY end_user_id HAVING count(*) >= {least}"
    )


_VIP = "jsonb_typeof(properties -> 'vip_level') = 'number' AND (properties ->> 'vip_level')::numeric >= 3"
_SAFE_VIP = f"CASE WHEN jsonb_typeof(properties -> 'vip_level') = 'number' THEN {_VIP.partition(' AND ')[2]} END"
_AMOUNT = "CASE WHEN jsonb_typeof(properties -> 'amount') = 'number' THEN (properties ->> 'amount')::numeric >= 20 END"
_PUSHABLE = (
    "SELECT p.end_user_id FROM devices_pushstatus p JOIN devices_device d ON d.id = p.device_id"
    f" WHERE p.brand_id = {BRAND} AND p.status = 'allowed' AND d.token_hash IS NOT NULL"
    " AND d.holder_id = p.end_user_id"
)
_ANDROID = (
    f"SELECT holder_id FROM devices_device WHERE brand_id = {BRAND} AND platform = 'android' UNION"
    f" SELECT session_end_user_id FROM devices_device WHERE brand_id = {BRAND} AND platform = 'android'"
)
_DEPOSITS = f"name = 'deposit' AND occurred_at >= {_ago(30)} AND occurred_at <= '{NOW}'"
_TWO_DEPOSITS = _event_users(f"{_DEPOSITS} AND {_AMOUNT}", 2)
_CLICKED = (
    f"SELECT end_user_id FROM devices_delivery WHERE brand_id = {BRAND} AND clicked_at >= {_ago(30)}"
    f" AND clicked_at <= '{NOW}'"
)
_DEPOSIT_RULE = _rule(
    "event", "at_least", 2, name="deposit", within=_within(30),
    where=[{"name": "amount", "type": "number", "operator": "at_least", "value": 20}],
)  # fmt: skip

TEN_RULES = {
    "all": [
        _rule("push_enabled", "is", True),
        {"any": [_rule("js_markers", "has", "SPORTS"),
                 _rule("property", "at_least", 3, name="vip_level", type="number")]},
        {"not": {"any": [_rule("backoffice_markers", "has", "VIP"), _rule("country", "is_any_of", ["US", "CH"])]}},
        _rule("last_seen", "in_the_last", _days(90)),
        {
            "any": [
                _DEPOSIT_RULE,
                {"all": [_rule("event", "at_least", 5, name="game_open", within=_within(30)),
                         _rule("platform", "is", "android")]},
            ]
        },
        _rule("event", "never", name="withdrawal", within=_within(14)),
        _rule("language", "is", "de"),
    ]
}  # fmt: skip

_TEN_BY_HAND = f"""
WITH rich AS ({_TWO_DEPOSITS}),
 players AS ({_event_users(f"name = 'game_open' AND occurred_at >= {_ago(30)} AND occurred_at <= '{NOW}'", 5)})
SELECT count(*) FROM devices_enduser u
WHERE brand_id = {BRAND} AND (js_markers @> '{{SPORTS}}' OR {_SAFE_VIP.replace("properties", "u.properties")})
  AND NOT backoffice_markers @> '{{VIP}}' AND country NOT IN ('US', 'CH')
  AND last_session_at >= {_ago(90)} AND last_session_at <= '{NOW}'
  AND (lower(language) = 'de' OR lower(language) LIKE 'de-%%')
  AND u.id IN ({_PUSHABLE})
  AND u.id IN (SELECT end_user_id FROM rich UNION
               SELECT end_user_id FROM players WHERE end_user_id IN ({_ANDROID}))
  AND NOT EXISTS (SELECT FROM devices_event e WHERE e.brand_id = {BRAND} AND e.name = 'withdrawal'
                  AND e.occurred_at >= {_ago(14)} AND e.occurred_at <= '{NOW}' AND e.end_user_id = u.id)
"""

# One end user, each condition by index.
EVALUATE_BY_HAND = f"""
SELECT EXISTS (SELECT FROM devices_enduser u
WHERE id = %(person)s AND brand_id = {BRAND}
  AND (js_markers @> '{{SPORTS}}' OR {_SAFE_VIP.replace("properties", "u.properties")})
  AND NOT backoffice_markers @> '{{VIP}}' AND country NOT IN ('US', 'CH')
  AND last_session_at >= {_ago(90)} AND last_session_at <= '{NOW}'
  AND (lower(language) = 'de' OR lower(language) LIKE 'de-%%')
  AND EXISTS (SELECT FROM ({_PUSHABLE}) p WHERE p.end_user_id = u.id)
  AND ((SELECT count(*) >= 2 FROM devices_event WHERE end_user_id = u.id AND {_DEPOSITS} AND {_AMOUNT})
    OR (SELECT count(*) >= 5 FROM devices_event WHERE end_user_id = u.id AND name = 'game_open'
        AND occurred_at >= {_ago(30)} AND occurred_at <= '{NOW}')
       AND EXISTS (SELECT FROM devices_device d WHERE platform = 'android'
                   AND (d.holder_id = u.id OR d.session_end_user_id = u.id)))
  AND NOT EXISTS (SELECT FROM devices_event WHERE end_user_id = u.id AND name = 'withdrawal'
                  AND occurred_at >= {_ago(14)} AND occurred_at <= '{NOW}'))
"""

QUESTIONS = (
    Question("property_number", _rule("property", "at_least", 3, name="vip_level", type="number"),
             _users(_SAFE_VIP), QUICK),
    Question("property_text", _rule("property", "is", "Berlin", name="city", type="text"),
             _users("properties ->> 'city' = 'Berlin'"), QUICK),
    Question("property_not", _rule("property", "is_not", "Berlin", name="city", type="text"),
             _users("properties ->> 'city' IS DISTINCT FROM 'Berlin'"), QUICK),
    Question("marker", _rule("js_markers", "has", "SPORTS"), _users("js_markers @> '{SPORTS}'"), QUICK),
    Question("marker_rare", _rule("js_markers", "has", "POKER_VIP"), _users("js_markers @> '{POKER_VIP}'"), QUICK),
    Question("marker_none", _rule("js_markers", "has_none", ["SPORTS", "NEWS"]),
             _users("NOT js_markers && '{SPORTS,NEWS}'"), QUICK),
    Question("status_last_session", _rule("push_status_last_session", "is", "ask"),
             _users("last_session_status = 'ask'"), QUICK),
    Question("push_enabled", _rule("push_enabled", "is", True),
             f"SELECT count(DISTINCT end_user_id) FROM ({_PUSHABLE}) p", QUICK),
    Question("push_not_enabled", _rule("push_enabled", "is", False),
             f"SELECT count(*) FROM devices_enduser u WHERE brand_id = {BRAND} AND NOT EXISTS"
             f" (SELECT FROM ({_PUSHABLE}) p WHERE p.end_user_id = u.id)", QUICK),
    Question("device_platform", _rule("platform", "is", "android"),
             f"SELECT count(holder_id) FROM ({_ANDROID}) d", QUICK),
    Question("device_browser", _rule("browser", "is", "firefox"),
             f"SELECT count(holder_id) FROM ({_ANDROID}) d".replace("platform = 'android'", "browser = 'firefox'"),
             QUICK),
    Question("last_seen", _rule("last_seen", "in_the_last", _days(30)),
             _users(f"last_session_at >= {_ago(30)} AND last_session_at <= '{NOW}'"), QUICK),
    Question("language_and_country", {"all": [_rule("language", "is", "de"),
                                              _rule("country", "is_any_of", ["DE", "AT"])]},
             _users("(lower(language) = 'de' OR lower(language) LIKE 'de-%%') AND country IN ('DE', 'AT')"), QUICK),
    Question("event_twice_with_property", _DEPOSIT_RULE, f"SELECT count(*) FROM ({_TWO_DEPOSITS}) e", EVENTS),
    Question("event_ten_times", _rule("event", "at_least", 10, name="page_view", within=_within(30)),
             "SELECT count(*) FROM ("
             + _event_users(f"name = 'page_view' AND occurred_at >= {_ago(30)} AND occurred_at <= '{NOW}'", 10)
             + ") e", EVENTS),
    Question("event_never", _rule("event", "never", name="deposit", within=_within(30)),
             f"SELECT count(*) FROM devices_enduser u WHERE brand_id = {BRAND} AND NOT EXISTS (SELECT FROM"
             f" devices_event e WHERE e.brand_id = {BRAND} AND {_DEPOSITS} AND e.end_user_id = u.id)", EVENTS),
    Question("event_last", _rule("event_last", "in_the_last", _days(14), name="deposit"),
             f"SELECT count(DISTINCT end_user_id) FROM devices_event WHERE brand_id = {BRAND} AND name = 'deposit'"
             f" AND occurred_at >= {_ago(14)} AND occurred_at <= '{NOW}'", EVENTS),
    Question("push_clicked", _rule("push", "at_least", 1, outcome="clicked", within=_within(30)),
             f"SELECT count(DISTINCT end_user_id) FROM ({_CLICKED}) d", EVENTS),
    Question("ten_rules_nested", TEN_RULES, _TEN_BY_HAND, EVENTS),
)  # fmt: skip
