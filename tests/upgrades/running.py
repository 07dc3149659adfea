"""Bringing a restored installation to the present, and letting it work until nothing is left to do."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
import time_machine
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.management import call_command
from django.test import override_settings
from django.utils.module_loading import import_string
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from campaigns.models import Enrolment
from campaigns.ticker import Ticker
from devices.delivery.sending.send import close_senders
from devices.delivery.services.fcm_accounts import app_credentials_set
from devices.models import App, Delivery, DeliveryChunk, Device, PopupOffer
from devices.pushservice.server import LocalPushService
from segments.models import SegmentImport, SegmentWork
from smartpush.common.crypto import decrypt
from tests.support.native import service_account
from tests.upgrades import keys
from tests.upgrades.dumps import database_made, dump_read, dump_restore

_SECOND = timedelta(seconds=1)
# What comes round by itself (a breaker that is tried, a popup that waits for another) need not be seen each time.
_STEP = timedelta(hours=6)
_ROUNDS = 60


class StrictTicker(Ticker):
    """The ticker, except that a step that fails is no matter of the log."""

    def _step(self, name: str, work: Callable[[], int]) -> int:
        return work()


@contextmanager
def installation(*, path: Path, name: str, service: LocalPushService, after: timedelta) -> Iterator["Installation"]:
    """Restore a dump into a database of its own, so long after it was made; the block finds it not migrated yet."""
    dump = dump_read(path=path)
    configured = Conf.SECRET_KEY
    Conf.SECRET_KEY = keys.SECRET_KEY
    _forget()
    try:
        with (
            override_settings(
                SECRET_KEY=keys.SECRET_KEY,
                SMARTPUSH_ENCRYPTION_KEYS=keys.ENCRYPTION_KEYS,
                SMARTPUSH_ID_KEY=keys.ID_KEY,
                SMARTPUSH_DEV_ORIGINS=frozenset({service.url}),
            ),
            database_made(name=name),
            time_machine.travel(dump.made_at + after, tick=False) as clock,
        ):
            dump_restore(dump=dump, name=name, replaced={keys.PUSH_SERVICE: service.url})
            yield Installation(clock, service)
    finally:
        Conf.SECRET_KEY = configured
        _forget()


def _forget() -> None:
    """What this process remembers of another database."""
    cache.clear()
    ContentType.objects.clear_cache()
    close_senders()


class Installation:
    """One that was restored; the clock stands still until it is moved."""

    def __init__(self, clock: time_machine.Traveller, service: LocalPushService) -> None:
        self.clock = clock
        self.service = service
        self.ticker = StrictTicker()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def upgrade(self) -> None:
        """What an operator does: migrate. The push services of that time are known here by then."""
        call_command("migrate", interactive=False, verbosity=0)
        ContentType.objects.clear_cache()
        self._know_subscriptions()
        self._know_apps()

    def work(self) -> None:
        """Tick, and do the jobs that are queued, until nothing is due at this moment."""
        for _ in range(_ROUNDS):
            if not self.ticker.tick(now=self.now) + self._jobs():
                return
        raise AssertionError("The ticker finds something to do for ever.")

    def work_to_the_end(self) -> None:
        """Let the time pass, from one moment at which something is due to the next, until nothing is under way."""
        for _ in range(_ROUNDS):
            self.work()
            moments = list(self._moments())
            if not moments:
                return
            later = [at for at in moments if at > self.now]
            assert later, "Something is under way, and nothing that comes would end it."
            self.clock.move_to(max(min(later) + _SECOND, self.now + _STEP))
        raise AssertionError("Something is under way for ever.")

    def _jobs(self) -> int:
        """Do what waits in the queue as a worker of its cluster would; returns how many jobs."""
        done = 0
        for row in OrmQ.objects.order_by("pk"):
            task = SignedPackage.loads(row.payload)
            row.delete()
            import_string(task["func"])(*task["args"], **task["kwargs"])
            done += 1
        assert not SegmentWork.objects.exclude(failure="").exists()
        return done

    def _moments(self) -> Iterator[datetime]:
        """When something that is under way is due, or comes to its end in any case."""
        for at in Delivery.objects.filter(state__in=["ready", "sending"]).values_list("next_attempt_at", "expires_at"):
            yield from at
        yield from Enrolment.objects.filter(state="active").values_list("wake_at", flat=True)
        yield from PopupOffer.objects.filter(finished_at=None).values_list("expires_at", flat=True)
        yield from DeliveryChunk.objects.filter(state="leased").values_list("leased_until", flat=True)
        for created_at in SegmentImport.objects.filter(finished_at=None).values_list("created_at", flat=True):
            yield created_at + timedelta(days=8)

    def _know_subscriptions(self) -> None:
        """The push service knows the subscriptions that devices have, each made with its VAPID key."""
        for device in Device.objects.filter(endpoint_origin=self.service.url).select_related("vapid_key"):
            requests.post(
                f"{self.service.url}/control/subscriptions/external",
                json={
                    "token": device.endpoint.rpartition("/")[2],
                    "application_server_key": device.vapid_key.public_key,
                    "p256dh": _base64url(device.p256dh),
                    "auth": _base64url(device.auth),
                },
                timeout=30,
            ).raise_for_status()

    def _know_apps(self) -> None:
        """The same for apps; their key files can still be read, and are replaced as this push service is elsewhere."""
        tokens = Device.objects.exclude(platform="web").exclude(token_hash=None).values_list("native_token", flat=True)
        self.service._state.fcm_tokens.update(dict.fromkeys(tokens, True))
        for app in App.objects.exclude(fcm_credentials_encrypted=""):
            assert json.loads(decrypt(app.fcm_credentials_encrypted))["type"] == "service_account"
            app_credentials_set(app=app, text=service_account(self.service.url), now=self.now)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(bytes(data)).rstrip(b"=").decode()
