"""Monthly range partitions of the hot tables, keyed by an immutable day of origin (docs/adr/0005)."""

from collections.abc import Iterable, Sequence
from datetime import date

from django.db import connection, transaction

from smartpush.common.database import statements
from smartpush.common.database.advisory_locks import partition_hold

PARTITIONED_TABLES = ("devices_delivery", "devices_event", "campaigns_steprun")
_MONTHS_AHEAD = 2


def partition_sql(table: str, key: Sequence[str], extra: Sequence[str] = ()) -> str:
    """SQL that turns a freshly created, empty table into a partitioned one with this primary key.

    Django cannot declare a partitioned table: its own CREATE TABLE runs first, then this replaces the table by one of
    the same columns, checks and indexes. A default partition catches days that have no partition yet.
    """
    return f"""
DO $do$
DECLARE
  definitions text[];
  definition text;
BEGIN
  SELECT coalesce(array_agg(indexdef), '{{}}') INTO definitions FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = '{table}' AND indexname NOT LIKE '%_pkey';
  ALTER TABLE {table} RENAME TO {table}_plain;
  CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (day);
  DROP TABLE {table}_plain;
  CREATE SEQUENCE {table}_id_seq AS bigint CACHE 50 OWNED BY {table}.id;
  ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq');
  FOREACH definition IN ARRAY definitions LOOP
    EXECUTE definition;
  END LOOP;
END
$do$;
ALTER TABLE {table} ADD PRIMARY KEY ({", ".join(key)});
{chr(10).join(statement.rstrip(";") + ";" for statement in extra)}
CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;
"""


def _months(first: date, count: int) -> list[tuple[date, date]]:
    found = []
    year, month = first.year, first.month
    for _ in range(count):
        start = date(year, month, 1)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        found.append((start, date(year, month, 1)))
    return found


def _there(name: str) -> bool:
    return statements.value("SELECT to_regclass(%s)", [name]) is not None


def months_ensure(*, table: str, months: Iterable[tuple[date, date]]) -> list[str]:
    """Create the partitions of these months (first day, first day of the next) where missing.

    Rows that the default partition caught meanwhile move into them. `table` is ours, never input.
    """
    made = []
    for start, end in months:
        name = f"{table}_p{start:%Y_%m}"
        with transaction.atomic(), connection.cursor() as cursor:
            if _there(name):
                continue
            partition_hold(name=name)
            if _there(name):
                continue
            # Names and dates are ours, never input.
            cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            cursor.execute(f"LOCK TABLE {table}_default IN ACCESS EXCLUSIVE MODE")
            cursor.execute(
                f"WITH moved AS (DELETE FROM {table}_default WHERE day >= %s AND day < %s RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM moved",
                [start, end],
            )
            cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')")
        made.append(name)
    return made


def partitions_of_days(*, table: str, days: Iterable[date]) -> list[str]:
    """Create the partitions that these days belong in, for rows that are older than the table; returns the new ones."""
    return months_ensure(table=table, months=[_months(day, 1)[0] for day in sorted({d.replace(day=1) for d in days})])


def partitions_ensure(*, today: date) -> list[str]:
    """Create the partitions of this month and the next ones where missing."""
    months = _months(today.replace(day=1), 1 + _MONTHS_AHEAD)
    return [name for table in PARTITIONED_TABLES for name in months_ensure(table=table, months=months)]
