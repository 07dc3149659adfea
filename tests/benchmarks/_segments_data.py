"""The end users, devices, events and deliveries that segments are measured on: made by set statements, two at a time.

Every value is drawn from `random()` behind a seed of its own, or by a hash, so that the same scale gives the same
rows. Tables are filled without their indexes and foreign keys, which come back as they were.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from smartpush.common.language.languages import canonical

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 90
BRAND, NEIGHBOUR = 1, 2
PEOPLE, DEVICES, EVENTS, DELIVERIES = 1_000_000, 1_500_000, 20_000_000, 2_000_000
NEIGHBOURS = 20  # the other brand has a twentieth of everything, in the same tables
SPREAD = 611_953  # a prime: neighbours by activity are no neighbours by id
CAMPAIGNS = 20
ACTIVE = 0.6  # of the end users did anything in these days
AT_ONCE = 2

LANGUAGES = {"de": 38, "en": 22, "en-GB": 10, "de-AT": 9, "fr": 6, "es": 5, "pt-BR": 4, "el": 3, "": 3}
CANONICAL = {canonical(tag): weight for tag, weight in LANGUAGES.items()}
SPOKEN = "((hashint8(n + 7) & 1048575) / 1048576.0::float8)"  # one draw for both columns of a row
COUNTRIES = {"DE": 42, "AT": 11, "GB": 12, "FR": 7, "ES": 6, "BR": 5, "GR": 4, "US": 4, "CH": 3, "": 6}
ZONES = {"Europe/Berlin": 45, "Europe/Vienna": 11, "Europe/London": 12, "Europe/Paris": 7, "Europe/Madrid": 6,
         "America/Sao_Paulo": 5, "Europe/Athens": 4, "America/New_York": 4, "": 6}  # fmt: skip
STATUSES = {"ask": 46, "allowed": 34, "blocked": 12, "not_supported": 6, "suspended": 2}
CITIES = {"Berlin": 14, "Hamburg": 9, "Wien": 9, "London": 9, "München": 7, "Köln": 6, "Paris": 5, "Madrid": 4,
          "Athen": 3, "São Paulo": 3} | {f"Town {n}": 0.31 for n in range(100)}  # fmt: skip
JS_MARKERS = {"NEWS": 25, "SPORTS": 12, "CASINO": 9, "OFFERS": 6, "BETA": 2, "POKER_VIP": 0.1} | {
    f"TOPIC_{n}": 20 / n for n in range(1, 60)
}
PLATFORMS = {"web": 78, "android": 14, "ios": 8}
BROWSERS = {"chrome": 60, "safari": 17, "firefox": 9, "edge": 7, "samsung": 5, "opera": 2}
SYSTEMS = {"windows": 48, "android": 24, "ios": 12, "macos": 10, "linux": 6}
EVENT_NAMES = {
    "page_view": 44, "session_start": 18, "game_open": 12, "search": 8, "add_to_cart": 5, "deposit": 4,
    "bonus_taken": 2, "withdrawal": 1, "kyc_passed": 0.05,
} | {f"custom_{n}": 0.2 for n in range(30)}  # fmt: skip
METHODS = {"card": 55, "bank": 20, "wallet": 20, "crypto": 5}


def drawn(weights: Mapping[str, float], draw: str = "random()") -> str:
    """SQL of one of these values, as often as its weight says."""
    total, reached, edges = sum(weights.values()), 0.0, []
    for weight in list(weights.values())[:-1]:
        reached += weight / total
        edges.append(f"{reached:.6f}")
    values = ",".join("'" + value.replace("'", "''") + "'" for value in weights)
    return f"(ARRAY[{values}])[1 + width_bucket({draw}, ARRAY[{','.join(edges)}]::float8[])]"


@dataclass(frozen=True)
class Part:
    """One brand's share: `first` is the id before its first end user."""

    brand: int
    first: int
    people: int
    devices: int
    events: int
    deliveries: int


def parts(scale: float) -> tuple[Part, Part]:
    """The brand that is measured, and the other."""
    ours = [max(200, round(count * scale)) for count in (PEOPLE, DEVICES, EVENTS, DELIVERIES)]
    return Part(BRAND, 0, *ours), Part(NEIGHBOUR, ours[0], *(count // NEIGHBOURS for count in ours))


def make(scale: float, say: Callable[[str], None]) -> None:
    """Fill the current database, which has been migrated and is empty."""
    ours, other = parts(scale)
    _brands(ours, other)
    with _bare("devices_enduser"), _bare("devices_device"), _bare("devices_pushstatus"):
        jobs: list[Callable[[], None]] = []
        for table, maker, share in (
            ("devices_event", _events_sql, lambda part: part.events),
            ("devices_delivery", _deliveries_sql, lambda part: part.deliveries),
        ):
            jobs += [_partition_job(table, month, maker, share, (ours, other)) for month in _months()]
        jobs += [_job(_people_sql(part), seed=part.brand / 10) for part in (ours, other)]
        jobs += [_job(_devices_sql(part), _statuses_sql(part), seed=part.brand / 9) for part in (ours, other)]
        _together(jobs)
        say("rows are in; indexes follow")
    for table in ("devices_event", "devices_delivery"):
        for month in _months():
            _attach(table, month)
    say("indexes are in; vacuum and analyze follow")
    tables = ["devices_enduser", "devices_device", "devices_pushstatus", "devices_dispatch"]
    tables += [f"{table}_p{month:%Y_%m}" for table in ("devices_event", "devices_delivery") for month in _months()]
    _together([_job(f"VACUUM (ANALYZE, PARALLEL 0) {table}") for table in tables])
    _together([_job("ANALYZE devices_event"), _job("ANALYZE devices_delivery")])


def _together(jobs: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def _job(*statements: str, seed: float | None = None) -> Callable[[], None]:
    """Run statements on a connection of the thread's own."""

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET jit = off")
                if seed is not None:
                    cursor.execute("SELECT setseed(%s)", [seed])
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    return run


@contextmanager
def _bare(table: str) -> Iterator[None]:
    """The table without its foreign keys and plain indexes while it is filled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        keys = cursor.fetchall()
        cursor.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = %s AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in keys:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    _together([_job(definition) for _, definition in indexes])
    with connection.cursor() as cursor:
        for name, definition in keys:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _brands(*made: Part) -> None:
    # Django is set up only now.
    from devices.models import App, Brand, Dispatch, VapidKey  # noqa: PLC0415

    for part in made:
        brand = Brand.objects.create(pk=part.brand, name=f"Bench {part.brand}", time_zone="Europe/Berlin")
        App.objects.create(pk=part.brand, brand=brand, kind="web", name="Site", origin=f"https://b{part.brand}.example")
        VapidKey.objects.create(pk=part.brand, brand=brand, public_key=f"x{part.brand}", private_key_encrypted="x")
        for number in range(CAMPAIGNS):
            Dispatch.objects.create(
                pk=part.brand * 1000 + number, brand=brand, day=NOW.date(), source="journey", content={},
                source_key=f"v{number}:push", campaign_ref=part.brand * 100 + number, label=f"Campaign {number}",
            )  # fmt: skip


def _months() -> list[date]:
    first = (NOW - timedelta(days=DAYS)).date().replace(day=1)
    found = [first]
    while (following := (found[-1] + timedelta(days=32)).replace(day=1)) <= NOW.date():
        found.append(following)
    return found


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _someone(part: Part, power: float = 2.0, share: float = 1.0) -> str:
    """An end user's id: of a share of them, and a few are drawn much more often than most."""
    drawn_of = round(part.people * share)
    return f"{part.first} + 1 + (floor({drawn_of} * power(random(), {power}))::bigint * {SPREAD}) % {part.people}"


def _people_sql(part: Part) -> str:
    return f"""
INSERT INTO devices_enduser (id, brand_id, external_id, language, language_canonical, time_zone, country, properties,
  js_markers, external_markers, backoffice_markers, bucket, last_session_at, last_session_status, target_devices,
  platform_opt_out, user_opt_out, created_at)
SELECT {part.first} + n, {part.brand}, CASE WHEN random() < 0.85 THEN 'c' || n END,
  {drawn(LANGUAGES, SPOKEN)}, nullif({drawn(CANONICAL, SPOKEN)}, ''), {drawn(ZONES)}, {drawn(COUNTRIES)},
  CASE WHEN random() < 0.60 THEN jsonb_build_object('vip_level', floor(11 * power(random(), 3))::int)
       WHEN random() < 0.02 THEN '{{"vip_level": "gold"}}' ELSE '{{}}' END
    || jsonb_build_object('first_name', 'Name ' || n % 997, 'city', {drawn(CITIES)}, 'balance', (random() * 900)::int)
    || CASE WHEN random() < 0.3 THEN jsonb_build_object('renewal',
         to_char('{NOW:%Y-%m-%d}'::timestamp + (random() * 400 - 200) * interval '1 day', 'YYYY-MM-DD')) ELSE '{{}}' END
    || CASE WHEN random() < 0.7 THEN jsonb_build_object('newsletter', random() < 0.4) ELSE '{{}}' END,
  CASE WHEN random() < 0.35 THEN '{{}}'::varchar[]
       ELSE ARRAY(SELECT DISTINCT {drawn(JS_MARKERS)} FROM generate_series(1, 1 + n % 4))::varchar[] END,
  CASE WHEN random() < 0.20 THEN ARRAY['CRM_' || (random() * 40)::int]::varchar[] ELSE '{{}}' END,
  CASE WHEN random() < 0.01 THEN ARRAY['VIP']::varchar[] ELSE '{{}}' END,
  abs(hashint8(n) % 1000), CASE WHEN random() < 0.92 THEN '{NOW}'::timestamptz - interval '1 day' * seen.ago END,
  {drawn(STATUSES)}, 'all', false, random() < 0.02,
  '{NOW}'::timestamptz - interval '1 day' * (seen.ago + 900 * random())
FROM generate_series(1::bigint, {part.people}) AS n, LATERAL (SELECT -70 * ln(1 - random()) + n * 0 AS ago) AS seen
"""


def _devices_sql(part: Part) -> str:
    everybody = round(part.people * 0.8)
    owner = (
        f"CASE WHEN n <= {everybody} THEN {part.first} + 1 + (n * {SPREAD}) % {part.people}"
        f" ELSE {_someone(part, power=1.5)} END"
    )
    first = 0 if part.brand == BRAND else part.first * 2
    return f"""
INSERT INTO devices_device (id, brand_id, app_id, session_end_user_id, holder_id, secret_hash, platform, browser,
  browser_version, os, form_factor, language, language_canonical, time_zone, user_agent, os_version, app_version, model,
  native_token, endpoint, endpoint_origin, p256dh, auth, token_hash, token_at, vapid_key_id, unreachable_reason,
  needs_rekey, last_seen_at, created_at)
SELECT {first} + n, {part.brand}, {part.brand},
  CASE WHEN random() < 0.97 THEN owner ELSE {_someone(part)} END, CASE WHEN draw < 0.9 THEN owner END,
  md5(n::text) || md5((-n)::text), platform, CASE WHEN web THEN {drawn(BROWSERS)} ELSE '' END,
  CASE WHEN web THEN '1' || n % 40 || '.0' ELSE '' END, CASE WHEN web THEN {drawn(SYSTEMS)} ELSE platform END,
  CASE WHEN n % 2 = 0 THEN 'mobile' ELSE 'desktop' END, {drawn(LANGUAGES, SPOKEN)},
  nullif({drawn(CANONICAL, SPOKEN)}, ''), {drawn(ZONES)},
  CASE WHEN web THEN 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1' || n % 40
       ELSE '' END,
  '', CASE WHEN web THEN '' ELSE '3.' || n % 12 || '.' || n % 5 END, '',
  CASE WHEN live AND NOT web THEN md5(n::text) || md5(n::text || 'a') || md5(n::text || 'b') ELSE '' END,
  CASE WHEN live AND web THEN 'https://fcm.googleapis.com/fcm/send/' || md5(n::text) || md5(n::text || 'a')
    || md5(n::text || 'b') || md5(n::text || 'c') ELSE '' END,
  CASE WHEN live AND web THEN 'https://fcm.googleapis.com' ELSE '' END,
  CASE WHEN live AND web THEN decode(repeat(md5(n::text), 4), 'hex') END,
  CASE WHEN live AND web THEN decode(md5(n::text), 'hex') END,
  CASE WHEN live THEN md5('t' || n) || md5('u' || n) END, CASE WHEN live THEN '{NOW}'::timestamptz END,
  CASE WHEN live AND web THEN {part.brand} END, '', false,
  '{NOW}'::timestamptz - interval '1 day' * (-70 * ln(1 - random())), '{NOW}'::timestamptz - interval '1 year'
FROM (SELECT n, owner, draw, platform, platform = 'web' AS web, draw < 0.48 AS live FROM
  (SELECT n, {owner} AS owner, random() AS draw, {drawn(PLATFORMS)} AS platform
   FROM generate_series(1::bigint, {part.devices}) AS n OFFSET 0) AS drawn) AS made
"""


def _statuses_sql(part: Part) -> str:
    silent = {"ask": 58, "blocked": 24, "not_supported": 8, "suspended": 5, "allowed": 5}
    return f"""
INSERT INTO devices_pushstatus (brand_id, end_user_id, device_id, status, reason, since, reported_at)
SELECT brand_id, coalesce(holder_id, session_end_user_id), id,
  CASE WHEN token_hash IS NOT NULL AND random() < 0.95 THEN 'allowed' ELSE {drawn(silent)} END,
  '', last_seen_at, last_seen_at
FROM devices_device WHERE brand_id = {part.brand}
"""


Maker = Callable[[Part, str, int, int], str]


def _partition_job(
    table: str, month: date, maker: Maker, share: Callable[[Part], int], both: tuple[Part, Part]
) -> Callable[[], None]:
    """Fill a table that becomes the month's partition; its rows lie in the order of their time."""
    child, began = f"{table}_p{month:%Y_%m}", NOW - timedelta(days=DAYS)
    statements = [f"CREATE TABLE {child} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"]
    for part in both:
        low, high = (_reached(edge, began, share(part)) for edge in (month, _after(month)))
        statements.append(maker(part, child, low, high))
    statements.append(f"ALTER TABLE {child} ADD CONSTRAINT within CHECK (day >= '{month}' AND day < '{_after(month)}')")
    return _job(*statements, seed=month.month / 100)


def _reached(edge: date, began: datetime, count: int) -> int:
    """How many of these rows lie before this day."""
    share = (datetime(edge.year, edge.month, edge.day, tzinfo=UTC) - began) / timedelta(days=DAYS)
    # The first row of a day lies on it: rounded up.
    return min(count, max(0, -int(-count * share // 1)))


def _moment(count: int) -> str:
    return f"'{NOW - timedelta(days=DAYS)}'::timestamptz + n * interval '{DAYS * 86400 / count:.9f} second'"


def _events_sql(part: Part, child: str, low: int, high: int) -> str:
    first = 0 if part.brand == BRAND else 10**9
    return f"""
INSERT INTO {child} (id, day, brand_id, end_user_id, device_id, name, properties, occurred_at, recorded_at)
SELECT {first} + n, (at AT TIME ZONE 'UTC')::date, {part.brand}, {_someone(part, share=ACTIVE)},
  CASE WHEN random() < 0.8 THEN 1 + (n * {SPREAD}) % {part.devices} END, name,
  CASE name
    WHEN 'deposit' THEN jsonb_build_object('amount', power(10, 3 * random())::int, 'currency', 'EUR',
      'method', {drawn(METHODS)}, 'first', random() < 0.1)
    WHEN 'page_view' THEN jsonb_build_object('path', '/p/' || (1000 * power(random(), 3))::int, 'seconds', n % 90)
    WHEN 'session_start' THEN '{{}}'
    ELSE jsonb_build_object('item', (5000 * power(random(), 2))::int, 'source', 'list', 'position', n % 40) END,
  at, at
FROM (SELECT n, {_moment(part.events)} AS at, {drawn(EVENT_NAMES)} AS name
      FROM generate_series({low}::bigint, {high - 1}) AS n OFFSET 0) AS drawn
"""


def _deliveries_sql(part: Part, child: str, low: int, high: int) -> str:
    first = 0 if part.brand == BRAND else 10**9
    # One send after the other: a campaign's deliveries lie together.
    send = f"({part.brand} * 1000 + n * {CAMPAIGNS} / {part.deliveries})"
    return f"""
INSERT INTO {child} (id, day, brand_id, dispatch_id, end_user_id, device_id, origin, state, reason, hold_reason,
  attempt, tries, next_attempt_at, expires_at, created_at, sent_at, finished_at, displayed_at, clicked_at,
  clicked_action)
SELECT {first} + n, (at AT TIME ZONE 'UTC')::date, {part.brand}, {send}, {_someone(part, power=1.2)}, n + 1,
  'https://fcm.googleapis.com', state, CASE WHEN state = 'accepted' THEN '' ELSE 'gone' END, '', 1, 1, at,
  at + interval '1 day', at, at, at, CASE WHEN draw < 0.62 THEN at + interval '1 minute' END,
  CASE WHEN draw < 0.04 THEN at + interval '5 minutes' END, ''
FROM (SELECT n, {_moment(part.deliveries)} AS at, random() AS draw,
        {drawn({"accepted": 91, "gone": 6, "failed": 2, "expired": 1})} AS state
      FROM generate_series({low}::bigint, {high - 1}) AS n OFFSET 0) AS drawn
"""


def _attach(table: str, month: date) -> None:
    child = f"{table}_p{month:%Y_%m}"
    _job(
        "SET max_parallel_maintenance_workers = 2",
        f"ALTER TABLE {table} ATTACH PARTITION {child} FOR VALUES FROM ('{month}') TO ('{_after(month)}')",
        f"ALTER TABLE {child} DROP CONSTRAINT within",
    )()
