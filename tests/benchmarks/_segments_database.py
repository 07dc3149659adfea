"""A database with the data set of `_segments_data`: made once into a template, cloned for each run.

The template's name holds the scale and a fingerprint of what made it: a change of the data set makes a new one and
drops the old one. New migrations are applied to the template that there is.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from tests.benchmarks import _segments_data

PREFIX = "bench_segments"


@contextmanager
def database(scale: float, say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Connect to a clone of the data set; yields what another process needs to reach it, and drops the clone."""
    before = connection.settings_dict["NAME"]
    template, name = f"{PREFIX}_{scale:g}_{_fingerprint()}".replace(".", "_"), f"{PREFIX}_clone"
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{PREFIX}_"])
        present = {row[0] for row in cursor.fetchall()}
        for other in present - {template}:
            if other == name or other.startswith(template.rpartition("_")[0] + "_"):
                cursor.execute(f'DROP DATABASE "{other}" WITH (FORCE)')
    if template not in present:
        _make(template, scale, before, say)
    else:
        _connect_to(template)
        call_command("migrate", verbosity=0)
        _connect_to(before)
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        cursor.execute("SELECT pg_size_pretty(pg_database_size(%s))", [template])
        size = cursor.fetchone()[0]
    say(f"data set {template} ({size}, kept for the next run) cloned in {time.perf_counter() - began:.0f} s")
    _connect_to(name)
    try:
        if settings.DATABASE_URL:
            parts = urlsplit(settings.DATABASE_URL)
            yield {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
        else:
            yield {"SMARTPUSH_DATABASE_NAME": name}
    finally:
        _connect_to(before)
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _connect_to(name: str) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = name


def _fingerprint() -> str:
    return hashlib.sha256(Path(_segments_data.__file__).read_bytes()).hexdigest()[:8]


def _make(template: str, scale: float, before: str, say: Callable[[str], None]) -> None:
    began = time.perf_counter()

    def progress(text: str) -> None:
        say(f"{text} ({time.perf_counter() - began:.0f} s)")

    say(f"making the data set {template} ...")
    unfinished = f"{template}_making"
    connection.settings_dict["TEST"]["NAME"] = unfinished
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        progress("migrated")
        _segments_data.make(scale, progress)
    finally:
        _connect_to(before)
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{template}"')
    progress("made")
