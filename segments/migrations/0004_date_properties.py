"""How a date that is stored as text in JSON is read: in one place, and so that no stored value aborts a statement.

`segments_date_in` answers whether the date lies in a window, null where the value is no date. A date with a zone is
compared with the window's instants, one without with the same window by wall clock (segments/windows.py makes both).
A function, because PostgreSQL 15 cannot ask whether a text can be cast, because a CASE of the same would take a large
document apart once for every mention of it, and because an exception handler would start a subtransaction a row and
keep the query from running in parallel.
"""

from django.db import migrations

MAKE = r"""
CREATE FUNCTION segments_date_in(
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
  IF said !~ ('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
    '([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$')
    OR left(said, 4) = '0000'
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
  cut := strpos(translate(substr(said, 17), '-Z', '++'), '+');
  IF cut = 0 THEN
    wall := said;
    RETURN (wall_low IS NULL OR wall >= wall_low) AND (wall_high IS NULL OR wall < wall_high);
  END IF;
  zone := replace(substr(said, 16 + cut), ':', '');
  IF zone <> 'Z' THEN
    minutes := substr(zone, 2, 2)::integer * 60 + substr(zone, 4, 2)::integer;
    IF minutes >= 1440 THEN
      RETURN NULL;
    END IF;
    IF left(zone, 1) = '-' THEN
      minutes := -minutes;
    END IF;
  END IF;
  instant := (left(said, 15 + cut)::timestamp - minutes * interval '1 minute') AT TIME ZONE 'UTC';
  RETURN (low IS NULL OR instant >= low) AND (high IS NULL OR instant < high);
END
$function$
"""
DROP = "DROP FUNCTION segments_date_in(jsonb, timestamptz, timestamptz, timestamp, timestamp)"


class Migration(migrations.Migration):
    dependencies = [("segments", "0003_imports_that_resume")]
    operations = [migrations.RunSQL(MAKE, DROP)]
