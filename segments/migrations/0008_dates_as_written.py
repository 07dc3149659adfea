"""Dates that are stored as text are read as the API reads them (smartpush/common/time/moments.py).

A fraction of any length, after a point or a comma, is cut to microseconds; `t` and `z` are taken in lower case, and an
offset without minutes. Only the body of the function changes, so that the release before runs on with it.
"""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("segments.migrations.0004_date_properties").MAKE

REPLACE = r"""
CREATE OR REPLACE FUNCTION segments_date_in(
  value jsonb, low timestamptz, high timestamptz, wall_low timestamp, wall_high timestamp
) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 AS $function$
DECLARE
  said text;
  cut integer;
  day integer;
  year integer;
  longest integer;
  minutes integer := 0;
  zone text;
  wall timestamp;
  instant timestamptz;
BEGIN
  IF jsonb_typeof(value) IS DISTINCT FROM 'string' THEN
    RETURN NULL;
  END IF;
  said := value #>> '{}';
  IF length(said) > 64 OR left(said, 4) = '0000'
    OR said !~ ('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
    '([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?'
    '([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?$')
  THEN
    RETURN NULL;
  END IF;
  day := substr(said, 9, 2);
  IF day > 28 THEN
    year := left(said, 4);
    longest := CASE
      WHEN substr(said, 6, 2) IN ('04', '06', '09', '11') THEN 30
      WHEN substr(said, 6, 2) <> '02' THEN 31
      WHEN year % 4 = 0 AND (year % 100 <> 0 OR year % 400 = 0) THEN 29
      ELSE 28
    END;
    IF day > longest THEN
      RETURN NULL;
    END IF;
  END IF;
  said := translate(said, 'tz,', 'TZ.');
  cut := strpos(translate(substr(said, 17), '-Z', '++'), '+');
  zone := CASE WHEN cut > 0 THEN replace(substr(said, 16 + cut), ':', '') END;
  -- The date, the time and six digits of its fraction: PostgreSQL would round what is finer.
  wall := left(CASE WHEN cut > 0 THEN left(said, 15 + cut) ELSE said END, 26);
  IF zone IS NULL THEN
    RETURN (wall_low IS NULL OR wall >= wall_low) AND (wall_high IS NULL OR wall < wall_high);
  END IF;
  IF zone <> 'Z' THEN
    minutes := substr(zone, 2, 2)::integer * 60 + coalesce(nullif(substr(zone, 4, 2), ''), '0')::integer;
    IF left(zone, 1) = '-' THEN
      minutes := -minutes;
    END IF;
  END IF;
  instant := (wall - minutes * interval '1 minute') AT TIME ZONE 'UTC';
  RETURN (low IS NULL OR instant >= low) AND (high IS NULL OR instant < high);
END
$function$
"""


class Migration(migrations.Migration):
    dependencies = [("segments", "0007_never_contact")]
    operations = [migrations.RunSQL(REPLACE, _BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))]
