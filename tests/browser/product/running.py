"""The real product for tests: gunicorn and `manage.py worker`, on a database that the test's own process shares."""

import os
import random
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django_q.models import OrmQ
from django_q.tasks import async_task

from devices.models import Lane
from smartpush.common.database.advisory_locks import Lock
from tests.browser.harness import diagnostics
from tests.browser.harness.process import Child, temporary_folder
from tests.browser.harness.waiting import wait_until
from tests.support.databases import database_drop, sessions_end

REPOSITORY = Path(__file__).resolve().parents[3]
# A start is a second of work; a machine with every core taken several times over needs this long for it.
START_SECONDS = 240.0


@dataclass(frozen=True)
class LiveDatabase:
    """A database that commits: how the test's own connection reaches it, and what the children are told of it."""

    wrapper: Callable[[], BaseDatabaseWrapper]
    env: Mapping[str, str]

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Let the ORM of this thread work on it."""
        usual = connections["default"]
        connections["default"] = self.wrapper()
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = usual


@contextmanager
def cloned_database() -> Iterator[LiveDatabase]:
    """A copy of pytest-django's migrated database under a name of its own, dropped at the end."""
    usual = connections["default"]
    pattern = str(usual.settings_dict["NAME"])
    name = f"{pattern}_live"
    kind = type(usual)
    described = {**usual.settings_dict, "NAME": name}

    usual.close()
    with usual._nodb_cursor() as cursor:
        database_drop(cursor, name=name)
        # Idle sessions of this run's own, kept from earlier tests, would be in the way of the copy.
        sessions_end(cursor, name=pattern)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{pattern}"')
    env = {"SMARTPUSH_DATABASE_NAME": name}
    if settings.DATABASE_URL:
        env["DATABASE_URL"] = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
    yield LiveDatabase(wrapper=lambda: kind(described, alias="default"), env=env)
    usual.close()
    with usual._nodb_cursor() as cursor:
        database_drop(cursor, name=name)


# Sockets that hold the ports below for this process, for as long as it lives.
_held: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Ports that are nobody's and stay ours until a server of ours, which reuses addresses as all do, listens there."""
    found: list[int] = []
    while len(found) < count:
        holder = socket.socket()
        try:
            # Below those that the kernel hands out. Bound alone, so that a second run beside this one finds it taken.
            holder.bind(("127.0.0.1", random.randint(20_000, 32_000)))
        except OSError:
            holder.close()
            continue
        # From here on it makes way for who listens, and for nobody who asks for a port of their own.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(holder)
        found.append(int(holder.getsockname()[1]))
    return found


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        root = psutil.Process(pid)
        return [pid, *(child.pid for child in root.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


class Product:
    """The product's processes. They run once `start` is called, until `close`."""

    def __init__(self, *, database: LiveDatabase, push_url: str, sites: int = 2, env: Mapping[str, str]) -> None:
        """Choose addresses; `sites` origins are known to the product as development ones."""
        own, *others = free_ports(1 + sites)
        self.database = database
        self.url = f"http://127.0.0.1:{own}"
        self.site_ports = others
        self.push_url = push_url
        self.dev_origins = frozenset({push_url, *(f"http://127.0.0.1:{port}" for port in others)})
        self._folder = temporary_folder("product")
        self._port = own
        self.env = {
            **os.environ,
            "SMARTPUSH_ENV": "test",
            "SMARTPUSH_PUBLIC_URL": self.url,
            "SMARTPUSH_DEV_ORIGINS": ",".join(sorted(self.dev_origins)),
            "SMARTPUSH_LIMIT_SDK_PER_ADDRESS": "1000000",
            "SMARTPUSH_LIMIT_REPORTS_PER_ADDRESS": "1000000",
            "SMARTPUSH_URGENT_WORKERS": "1",
            "SMARTPUSH_BULK_WORKERS": "1",
            "REDIS_URL": "",
            "PYTHONUNBUFFERED": "1",
            **database.env,
            **env,
        }
        self.web: Child | None = None
        self.worker: Child | None = None
        diagnostics.watch(self)

    def start(self) -> None:
        """Start both; returns when a request is answered and jobs of every lane are worked on."""
        self.start_web(wait=False)
        self.start_worker(wait=False)
        self.wait_web()
        self.wait_worker()

    def start_web(self, *, wait: bool = True) -> None:
        """Start gunicorn."""
        argv = [sys.executable, "-m", "gunicorn", "smartpush.wsgi:application", "--bind", f"127.0.0.1:{self._port}"]
        argv += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket"]
        self.web = Child(argv, name="web", env=self.env, cwd=REPOSITORY)
        if wait:
            self.wait_web()

    def start_worker(self, *, wait: bool = True) -> None:
        """Start the supervisor with both clusters and the ticker."""
        argv = [sys.executable, "manage.py", "worker", "--pid-file", str(self._folder / "worker.pid")]
        self.worker = Child(argv, name="worker", env=self.env, cwd=REPOSITORY)
        if wait:
            self.wait_worker()

    def wait_web(self) -> None:
        """Until the web server answers."""
        wait_until(self._answers, timeout=START_SECONDS, what="the web server", detail=self.describe)

    def wait_worker(self) -> None:
        """Until a ticker is at work and a job of each lane was taken."""
        # Jobs that a killed worker took would keep the queue from running empty; the ticker queues them again.
        OrmQ.objects.all().delete()
        for lane in Lane.values:
            async_task("operator.add", 1, 1, q_options={"cluster": lane, "save": False})
        wait_until(_ticking, timeout=START_SECONDS, what="a ticker at work", detail=self.describe)
        wait_until(lambda: not OrmQ.objects.exists(), timeout=START_SECONDS, what="both lanes", detail=self.describe)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def call(self, *arguments: str, timeout: float = START_SECONDS) -> tuple[int, str]:
        """Run a management command to its end: its exit code and what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.env,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return done.returncode, done.stdout + done.stderr

    def describe(self) -> str:
        """The last output of web and worker."""
        parts = [f"--- {child.name}:\n{child.tail()}" for child in (self.web, self.worker) if child is not None]
        return "\n".join(parts) or "nothing was started"

    def picture(self, path: Path) -> None:
        """Processes have no screen."""

    def close(self) -> None:
        """End everything."""
        diagnostics.unwatch(self)
        for child in (self.worker, self.web):
            if child is not None:
                child.end(grace=10)
        shutil.rmtree(self._folder, ignore_errors=True)


def _ticking() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
            " AND l.classid = %s AND l.objid = %s AND l.granted",
            [Lock.TICKER >> 32, Lock.TICKER & 0xFFFFFFFF],
        )
        return bool(cursor.fetchone()[0])
