"""What holds for every test."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.browser.fixtures import (  # noqa: F401
    _desktop,
    _push_service,
    _startup_cache,
    chromium,
    chromium_factory,
    desktop,
    firefox,
    firefox_factory,
    playwright_driver,
    push_service,
    static_site,
)
from tests.browser.product.fixtures import _product, product, shop, staff_page  # noqa: F401
from tests.support import programs

# A slow machine is no failure, and a run differs from the one before by what was changed alone: the same examples each
# time. Who looks for new ones says `--hypothesis-profile=default`.
hypothesis_settings.register_profile(
    "smartpush", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("smartpush")

# What a page of the back office, or the tick, gives up on after a moment; in seconds or milliseconds.
STATEMENT_LIMITS = {
    "segments.selectors.counting.FIRST_ANSWER": 120.0,
    "segments.selectors.counting.QUICK": 60.0,
    "segments.selectors.people._RECENT_SECONDS": 60.0,
    "segments.selectors.people._ALL_SECONDS": 60.0,
    "segments.selectors.names.suggesting.WITHIN": 60_000,
    "segments.services.watching._EVALUATE_SECONDS": 120,
}


@pytest.fixture(autouse=True)
def _patient_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is no slow statement. Who tests that one is given up sets a limit of their own."""
    for name, limit in STATEMENT_LIMITS.items():
        monkeypatch.setattr(name, limit, raising=False)  # a limit that has another name now only loses its patience


@pytest.fixture(autouse=True)
def _codes_have_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored code that nobody gave words is a failure (smartpush.common.code_words)."""
    monkeypatch.setattr(django_settings, "SMARTPUSH_UNKNOWN_CODES_RAISE", True)


@pytest.fixture(scope="session", autouse=True)
def _programs_of_a_fresh_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        programs.watch(patched)
        yield
