"""Queue the end users whose rows change, for brands that watch a segment.

Triggers, so that COPY, set statements and every service are covered. Each runs once a statement, over the rows that it
wrote (transition tables; the ones on the partitioned table of events hear of every partition). Where no brand is
noticed the first line ends them. Nothing is compared and nothing joined by the number of rows: the plans are kept from
the first, small statement of a connection, and serve one of a hundred thousand rows as well.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

# Table, to the columns that name an end user, to the statements whose rows are looked at.
_NOTICED = {
    "devices_enduser": (("id",), ("insert", "update")),
    "devices_device": (("holder_id", "session_end_user_id"), ("insert", "update", "delete")),
    "devices_pushstatus": (("end_user_id",), ("insert", "update", "delete")),
    "devices_event": (("end_user_id",), ("insert", "update")),
}
# An update may take a row from one end user to another: both are looked at.
_ROWS = {"insert": ("after_rows",), "update": ("before_rows", "after_rows"), "delete": ("before_rows",)}
_TABLES = {
    "insert": "NEW TABLE AS after_rows",
    "update": "OLD TABLE AS before_rows NEW TABLE AS after_rows",
    "delete": "OLD TABLE AS before_rows",
}
_MAKE = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  IF EXISTS (SELECT FROM devices_brand WHERE noticed) THEN
    INSERT INTO devices_changedenduser (brand_id, end_user_id)
    SELECT r.brand_id, r.end_user_id FROM ({rows}) r
    WHERE r.end_user_id IS NOT NULL AND r.brand_id IN (SELECT b.id FROM devices_brand b WHERE b.noticed);
  END IF;
  RETURN NULL;
END
$function$;
CREATE TRIGGER {name} AFTER {statement} ON {table} REFERENCING {transition}
FOR EACH STATEMENT EXECUTE FUNCTION {name}();
"""


def _make() -> str:
    found = []
    for table, (columns, statements) in _NOTICED.items():
        for statement in statements:
            rows = " UNION ".join(
                f"SELECT brand_id, {column} AS end_user_id FROM {source}"
                for source in _ROWS[statement]
                for column in columns
            )
            if " UNION " not in rows:
                rows = rows.replace("SELECT", "SELECT DISTINCT", 1)
            found.append(
                _MAKE.format(
                    name=f"{table}_noticed_{statement}",
                    table=table,
                    statement=statement.upper(),
                    transition=_TABLES[statement],
                    rows=rows,
                )
            )
    return "".join(found)


def _drop() -> str:
    return "".join(
        f"DROP TRIGGER {table}_noticed_{statement} ON {table}; DROP FUNCTION {table}_noticed_{statement}();"
        for table, (_, statements) in _NOTICED.items()
        for statement in statements
    )


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0013_dispatch_category"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangedEndUser",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("brand_id", models.BigIntegerField()),
                ("end_user_id", models.BigIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddField(
            model_name="brand",
            name="noticed",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether changes of its end users are queued: while it has a watched segment.",
            ),
        ),
        migrations.AddIndex(
            model_name="brand",
            index=models.Index(condition=models.Q(("noticed", True)), fields=["id"], name="devices_brand_noticed"),
        ),
        migrations.AddIndex(
            model_name="changedenduser",
            index=models.Index(fields=["brand_id", "id"], name="devices_changedenduser_queue"),
        ),
        migrations.RunSQL(_make(), _drop()),
    ]
