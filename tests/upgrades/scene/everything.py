"""The scene's parts in their order."""

import io
from datetime import datetime, timedelta

import time_machine
from django.core.cache import cache
from django.test import override_settings
from django_q.models import OrmQ
from PIL import Image as Picture

from assets.services import image_save
from assets.services.archiving import resource_archive
from devices.delivery.sending.send import close_senders
from devices.lifecycle.brands import vapid_key_add
from devices.pushservice.server import LocalPushService
from segments.services import segments_make_ready
from segments.tasks import run_work
from smartpush.common.database.partitions import partitions_ensure
from tests.upgrades.keys import ENCRYPTION_KEYS, OLDER_ENCRYPTION_KEY
from tests.upgrades.scene import journeys, lists, people, sending
from tests.upgrades.scene.stage import Channel, Stage

_BEFORE = timedelta(hours=2)


def scene_make(*, service: LocalPushService, made_at: datetime) -> None:
    """Write the scene into an empty, migrated database; what is under way then was so at `made_at`."""
    cache.clear()
    close_senders()
    try:
        with (
            time_machine.travel(made_at, tick=False) as clock,
            override_settings(
                SMARTPUSH_ENCRYPTION_KEYS=ENCRYPTION_KEYS, SMARTPUSH_DEV_ORIGINS=frozenset({service.url})
            ),
        ):
            _make(Stage(clock=clock, service=service, made_at=made_at))
    finally:
        close_senders()


def _make(stage: Stage) -> None:
    stage.at(timedelta(days=3))
    partitions_ensure(today=stage.now.date())  # the ticker's housekeeping
    people.staff_make(stage)
    channel = _brand(stage)
    people.staff_join(stage, channel.brand)
    people.statuses_make(stage, channel)
    people.consents_make(stage, channel)
    people.servers_make(stage, channel)
    people.proofs_make(stage, channel)
    _content(stage, channel)
    stage.at(_BEFORE)
    journeys.journeys_make(stage, channel)
    run_work()  # sizes and sweeps, once
    stage.at(timedelta(minutes=10))
    sending.restraint_make(stage)
    sending.deliveries_make(stage, channel)
    sending.requests_make(stage, channel)
    journeys.schedules_make(stage)
    stage.at(timedelta(minutes=1))
    sending.native_make(stage)
    sending.holds_make(stage)
    sending.archived_make(stage)
    sending.abandoned_make(stage, channel)
    sending.failing_make(stage)
    # Jobs that were queued so far have been taken from the queue, those of killed workers too; later ones wait.
    OrmQ.objects.all().delete()
    stage.at()
    lists.lists_make(stage, channel)
    journeys.killed_make(stage, channel)
    sending.waiting_make(stage, channel)
    people.local_pages_make(stage, channel)


def _brand(stage: Stage) -> Channel:
    """The main brand: its first VAPID key, encrypted with the older key, is retired and still in use."""
    with override_settings(SMARTPUSH_ENCRYPTION_KEYS=[OLDER_ENCRYPTION_KEY]):
        channel = stage.brand("Harbour Books")
    segments_make_ready(brand=channel.brand)
    channel.subscriber("subscribed-under-the-retired-key")
    vapid_key_add(brand=channel.brand)
    return channel


def _content(stage: Stage, channel: Channel) -> None:
    """An image, a push that is used nowhere yet, one that is put away, and a popup with categories."""
    drawn = io.BytesIO()
    Picture.new("RGB", (16, 16), "#4f46e5").save(drawn, "PNG")
    image_save(brand=channel.brand, name="Icon", data=drawn.getvalue())
    stage.push_resource(channel.brand, "Not used yet")
    resource_archive(resource=stage.push_resource(channel.brand, "Put away").resource, now=stage.now)
    stage.popup_resource(channel.brand, "What do you like?", template="categories", categories=("NEWS",))
