"""Fixtures for tests that drive real browsers; harness/README.md says what each one gives.

`tests/conftest.py` names them, so that there is one of each in a run, wherever the tests lie: Playwright starts once in
a process. The product's own processes are in `product/running.py`, their fixtures in `product/fixtures.py`. Nothing
here depends on them.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Playwright, expect, sync_playwright

from devices.pushservice.server import LocalPushService

from .harness.chromium import Chromium
from .harness.desktop import Desktop
from .harness.firefox import Firefox
from .harness.process import MissingProgram, program
from .harness.sites import Page, Site
from .harness.waiting import PATIENCE_SECONDS

FirefoxFactory = Callable[..., Firefox]
ChromiumFactory = Callable[..., Chromium]
SiteFactory = Callable[..., Site]


def _require(name: str) -> None:
    try:
        program(name)
    except MissingProgram as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def _desktop() -> Iterator[Desktop]:
    _require("dbus-daemon")
    desktop = Desktop()
    yield desktop
    desktop.close()


@pytest.fixture
def desktop(_desktop: Desktop) -> Desktop:
    """The desktop of this worker, with nothing on its screen."""
    _desktop.reset()
    return _desktop


@pytest.fixture(scope="session")
def _push_service() -> Iterator[LocalPushService]:
    with LocalPushService() as service:
        yield service


@pytest.fixture
def push_service(_push_service: LocalPushService) -> Iterator[LocalPushService]:
    """The push service of this worker; after the test it forgets subscriptions, messages and failures."""
    yield _push_service
    _push_service.reset()


@pytest.fixture(scope="session")
def _startup_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("firefox") / "startup-cache"


@pytest.fixture
def firefox_factory(desktop: Desktop, push_service: LocalPushService, _startup_cache: Path) -> Iterator[FirefoxFactory]:
    """Start Firefoxes, each with a fresh profile, on this worker's desktop and push service."""
    _require("firefox-esr")
    started: list[Firefox] = []

    def start(**options: Any) -> Firefox:
        defaults = {
            "push_url": push_service.websocket_url,
            "dbus_address": desktop.address,
            "startup_cache": _startup_cache,
        }
        started.append(Firefox(**{**defaults, **options}))
        return started[-1]

    yield start
    for firefox in started:
        firefox.close()


@pytest.fixture
def firefox(firefox_factory: FirefoxFactory) -> Firefox:
    """A Firefox that asks for permission."""
    return firefox_factory()


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator[Playwright]:
    """Playwright's driver, which keeps an event loop in this thread from here on."""
    # Django sees that loop and would refuse the database to ordinary synchronous test code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as driver:
        yield driver
        # While that loop is there, Django keeps other connections for this thread than before and after it.
        connections.close_all()


@pytest.fixture
def chromium_factory(playwright_driver: Playwright, desktop: Desktop) -> Iterator[ChromiumFactory]:
    """Start Chromiums, each with a fresh profile, on this worker's desktop."""
    _require("chromium")
    started: list[Chromium] = []

    def start(**options: Any) -> Chromium:
        started.append(Chromium(playwright_driver, **{"dbus_address": desktop.address, **options}))
        return started[-1]

    yield start
    for chromium in started:
        chromium.close()


@pytest.fixture
def chromium(chromium_factory: ChromiumFactory) -> Chromium:
    """A Chromium of desktop size, light, with motion."""
    return chromium_factory()


@pytest.fixture
def static_site() -> Iterator[SiteFactory]:
    """Serve folders or dicts of pages, each at an origin of its own."""
    started: list[Site] = []

    def start(
        content: Path | Mapping[str, str | bytes | Page],
        *,
        headers: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> Site:
        started.append(Site(content, headers=headers, port=port))
        return started[-1]

    yield start
    for site in started:
        site.close()
