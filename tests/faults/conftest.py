"""A product of these tests' own, with a database server of its own: both are killed here, again and again."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from devices.lifecycle.brands import brand_create
from devices.pushservice.server import LocalPushService
from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.backend.base import DatabaseWrapper
from smartpush.machine.embedded.layout import Layout, layout_at
from tests.browser.product.running import LiveDatabase, Product

from .letter import Letter

HERE = Path(__file__).parent
# Short, so that what a killed worker held is soon another's; few at a time, so that there is something to kill.
ENV = {"SMARTPUSH_LEASE_SECONDS": "5", "SMARTPUSH_CHUNK_SIZE": "60", "SMARTPUSH_SEND_IN_FLIGHT": "8"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder injects faults, and may wait for several things that take their time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def layout() -> Iterator[Layout]:
    """A database server of our own, in a folder that its account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="spg-test-", dir="/tmp"))
    folder.chmod(0o755)
    layout = layout_at(data_root=folder / "data")
    try:
        launcher.ensure_running(layout=layout)
        yield layout
    finally:
        launcher.stop(layout=layout)
        shutil.rmtree(layout.socket_folder, ignore_errors=True)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _product(layout: Layout, _push_service: LocalPushService, django_db_blocker: DjangoDbBlocker) -> Iterator[Product]:
    described = {**connections["default"].settings_dict, "NAME": launcher.DATABASE, "OPTIONS": {}}
    described |= {"EMBEDDED_DATA_ROOT": str(layout.data_root), "HOST": "", "PORT": "", "USER": "", "PASSWORD": ""}
    env = {"SMARTPUSH_DATA_DIR": str(layout.data_root), "SMARTPUSH_DATABASE_NAME": launcher.DATABASE}
    database = LiveDatabase(
        wrapper=lambda: DatabaseWrapper(described, alias="default"), env={**env, "DATABASE_URL": ""}
    )
    product = Product(database=database, push_url=_push_service.url, env=ENV)
    try:
        with django_db_blocker.unblock(), database.connected():
            code, said = product.call("migrate", "--noinput")
            assert code == 0, said
            product.start()
        yield product
    finally:
        product.close()


@pytest.fixture
def product(_product: Product, django_db_blocker: DjangoDbBlocker, settings: Settings) -> Iterator[Product]:
    """The running product, whole again whatever the test before did; the ORM reaches its database."""
    settings.SMARTPUSH_DEV_ORIGINS = _product.dev_origins
    settings.SMARTPUSH_PUBLIC_URL = _product.url
    with django_db_blocker.unblock(), _product.database.connected():
        if _product.web is None or not _product.web.running:
            _product.start_web()
        if _product.worker is None or not _product.worker.running:
            _product.start_worker()
        yield _product


@pytest.fixture
def letter(product: Product, push_service: LocalPushService) -> Letter:
    """A brand with 600 subscribers and a push that is to go to all of them."""
    origin = f"http://127.0.0.1:{product.site_ports[0]}"
    return Letter(
        product=product, service=push_service, brand=brand_create(name="Harbour Books", origin=origin), origin=origin
    )
