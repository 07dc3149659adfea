"""The data set of segments in words and numbers, as it lies in the tables."""

from typing import Any

from django.db import connection

from tests.benchmarks._segments_data import BRAND, DAYS


def described() -> list[str]:
    """What lies in the tables, in words and numbers."""
    lines = []
    with connection.cursor() as cursor:

        def row(sql: str) -> tuple[Any, ...]:
            cursor.execute(sql)
            return cursor.fetchone() or ()

        people = row(
            f"SELECT count(*), count(external_id), count(last_session_at) FROM devices_enduser WHERE brand_id = {BRAND}"
        )
        lines.append("end users {:,}: {:,} known by an external id, {:,} had a session".format(*people))
        lines.append(row("SELECT 'push status of the last session: ' || string_agg(s || ' ' || n, ', ' ORDER BY n DESC)"
            f" FROM (SELECT last_session_status s, count(*) n FROM devices_enduser WHERE brand_id = {BRAND}"
            " GROUP BY 1) x")[0])  # fmt: skip
        lines.append(
            row("SELECT 'JS markers: ' || string_agg(m || ' ' || n, ', ' ORDER BY n DESC) FROM"
            f" (SELECT m, count(*) n FROM devices_enduser, unnest(js_markers) m WHERE brand_id = {BRAND} GROUP BY 1"
            " ORDER BY 2 DESC LIMIT 6) x")[0] + " … 65 in all"
        )  # fmt: skip
        lines.append(row("SELECT 'devices ' || to_char(sum(n), 'FM999,999,999') || ': ' ||"
            " string_agg(p || ' ' || n || ' (live token ' || live || ')', ', ' ORDER BY n DESC) FROM"
            " (SELECT platform p, count(*) n, count(token_hash) live FROM devices_device"
            f" WHERE brand_id = {BRAND} GROUP BY 1) x")[0])  # fmt: skip
        lines.append(row(f"SELECT 'events ' || to_char(sum(n), 'FM999,999,999') || ' in {DAYS} days: ' ||"
            " string_agg(e || ' ' || n, ', ' ORDER BY n DESC) FILTER (WHERE e !~ '^custom') FROM"
            f" (SELECT name e, count(*) n FROM devices_event WHERE brand_id = {BRAND} GROUP BY 1) x")[0])  # fmt: skip
        spread = row(
            "SELECT count(*), percentile_disc(ARRAY[0.5, 0.9, 0.99, 0.999]) WITHIN GROUP (ORDER BY n), max(n) FROM"
            f" (SELECT count(*) n FROM devices_event WHERE brand_id = {BRAND} GROUP BY end_user_id) x"
        )
        lines.append(
            f"{spread[0]:,} end users have events: half at most {spread[1][0]}, 90 % at most {spread[1][1]},"
            f" 99 % {spread[1][2]}, 99.9 % {spread[1][3]}, one {spread[2]}"
        )
        counted = row(
            f"SELECT count(*), count(displayed_at), count(clicked_at) FROM devices_delivery WHERE brand_id = {BRAND}"
        )
        lines.append("pushes {:,}: {:,} displayed, {:,} clicked".format(*counted))
    return lines


# What each is for: docs/segments-indexes.md.
INDEXES = (
    "devices_enduser_pkey",
    "devices_enduser_external_id",
    "devices_enduser_status",
    "devices_enduser_bucket_idx",
    "devices_enduser_last_seen",
    "devices_enduser_js_markers",
    "devices_enduser_ext_markers",
    "devices_enduser_bo_markers",
    "devices_pushstatus_status_idx",
    "devices_pushstatus_pair",
    "devices_device_reachable",
    "devices_device_platform_idx",
    "devices_event_name",
    "devices_event_user",
    "devices_delivery_user",
    "segments_listentry_once",
)


def indexes() -> dict[str, float]:
    """The indexes that segments need, with their size in MB (all partitions together)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, (SELECT sum(pg_relation_size(coalesce(t.relid, c.oid)))::float8 / 1048576"
            " FROM (SELECT 1) one LEFT JOIN pg_partition_tree(c.oid) t ON true)"
            " FROM pg_class c WHERE c.relkind IN ('i', 'I') AND c.relname = ANY(%s)",
            [list(INDEXES)],
        )
        sizes = dict(cursor.fetchall())
    return {name: sizes[name] for name in INDEXES if name in sizes}
