"""The way to Redis, where REDIS_URL names one: short waits, a circuit breaker, and the product goes on without it.

Redis keeps counts of limits, what is remembered for seconds, and the queue of jobs; nothing in it is the only copy of
anything. While it does not answer, limits let everybody pass, what was remembered is asked again, and jobs begin when
the ticker looks for them. Only one call in `REST_SECONDS` finds out whether it is back; the others do not wait.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis
import structlog
from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django_q.brokers.redis_broker import Redis as RedisBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONNECT_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 0.5
REST_SECONDS: Final = 5.0
TELL_SECONDS: Final = 30.0
_BLOCKING_SECONDS = 1  # how long a worker waits for a job in one command


class RedisAway(Exception):
    """Redis did not answer, now or a moment ago."""


Told = Callable[[str, int, str], None]
Back = Callable[[str], None]


def _nobody(*told: Any) -> None:
    return None


class Circuit:
    """One for each process. `tell` and `back` are what apps above do about it: note an incident, and close it."""

    def __init__(self) -> None:
        self.tell: Told = _nobody
        self.back: Back = _nobody
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin as a process that has not called yet."""
        self._away, self._next_try, self._told_at, self._missed = False, 0.0, -TELL_SECONDS, 0

    def call(self, work: Callable[[], T]) -> T:
        """Do it, or raise RedisAway: at once while Redis rests."""
        with self._lock:
            if self._away and time.monotonic() < self._next_try:
                self._missed += 1
                raise RedisAway
            if self._away:  # this call tries; the others go on without
                self._next_try = time.monotonic() + REST_SECONDS
        try:
            result = work()
        except redis.RedisError as problem:
            self._failed(problem)
            raise RedisAway from problem
        if self._away:
            self.forget()
            log.info("redis_back")
            self.back(subject())
        return result

    def _failed(self, problem: Exception) -> None:
        now = time.monotonic()
        with self._lock:
            self._away, self._next_try = True, now + REST_SECONDS
            self._missed += 1
            if now - self._told_at < TELL_SECONDS:
                return
            missed, self._told_at, self._missed = self._missed, now, 0
        log.error("redis_away", error=type(problem).__name__, missed=missed)
        self.tell(subject(), missed, type(problem).__name__)


circuit: Final = Circuit()


def subject() -> str:
    """The Redis of REDIS_URL for people: host and port, or the socket; never its password."""
    parts = urlsplit(settings.REDIS_URL)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def _options(*, answer_seconds: float) -> dict[str, Any]:
    # One more try for a connection that went stale while it lay in the pool; none for an answer that did not come.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": answer_seconds, "retry": retry}


def answers() -> bool:
    """Ask Redis itself, past the circuit breaker: for /readyz."""
    client = redis.from_url(settings.REDIS_URL, **_options(answer_seconds=ANSWER_SECONDS))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


class Client(RedisCacheClient):
    """Django's client with short waits."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **{**_options(answer_seconds=ANSWER_SECONDS), **options})


class Cache(RedisCache):
    """The cache that is empty while Redis is away, and loses what is put into it then."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client

    def _try(self, work: Callable[[], T], otherwise: T) -> T:
        try:
            return circuit.call(work)
        except RedisAway:
            return otherwise

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """True while Redis is away: whoever counts by it begins at one, each time."""
        return self._try(lambda: super(Cache, self).add(*args, **kwargs), True)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._try(lambda: super(Cache, self).get(key, default, version), default)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._try(lambda: super(Cache, self).set(*args, **kwargs), None)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(Cache, self).touch(*args, **kwargs), False)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(Cache, self).delete(*args, **kwargs), False)

    def get_many(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self._try(lambda: super(Cache, self).get_many(*args, **kwargs), {})

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(Cache, self).has_key(*args, **kwargs), False)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._try(lambda: super(Cache, self).incr(key, delta, version), delta)

    def set_many(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> list[str]:
        return self._try(lambda: super(Cache, self).set_many(data, *args, **kwargs), list(data))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._try(lambda: super(Cache, self).delete_many(*args, **kwargs), None)

    def clear(self) -> None:
        self._try(lambda: super(Cache, self).clear(), None)


_quick: dict[str, redis.Redis] = {}


class Broker(RedisBroker):
    """django-q2's broker with bounded waits: a worker's for its next job is longer than that of who queues one."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis:
        client: redis.Redis = redis.from_url(
            settings.REDIS_URL, **_options(answer_seconds=_BLOCKING_SECONDS + CONNECT_SECONDS * 4)
        )
        return client

    def enqueue(self, task: str) -> Any:
        """Queue a job; raises RedisAway, at once where that is known already."""
        client = _quick.get(settings.REDIS_URL)  # its pool notices a fork by itself
        if client is None:
            client = redis.from_url(settings.REDIS_URL, **_options(answer_seconds=ANSWER_SECONDS))
            _quick[settings.REDIS_URL] = client
        return circuit.call(lambda: client.rpush(self.list_key, task))
