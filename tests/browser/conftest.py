"""Rules for every test that drives a real browser; the fixtures are in fixtures.py."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .fixtures import ChromiumFactory, FirefoxFactory, SiteFactory
from .harness import diagnostics
from .harness.process import end_with_controller

__all__ = ["ChromiumFactory", "FirefoxFactory", "SiteFactory"]

HERE = Path(__file__).parent
PICTURES = HERE.parent.parent / "var" / "browser-failures"

BROWSER_GONE = ["the browser is gone", "connection closed", "browser has been closed", "Target crashed", "Page crashed"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a real browser; where the browser itself was gone, the test is run once more.

    Stock browsers end by themselves now and then on a busy machine. A failed assertion is never tried again.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # Longer than all that one test may wait for, one after the other.
            item.add_marker(pytest.mark.timeout(900))
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=BROWSER_GONE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to a failure what browsers and desktop saw, and save screenshots in var/browser-failures."""
    report: Any = yield
    if report.failed and report.when != "teardown":
        report.sections.extend(diagnostics.report(test_name=item.nodeid, pictures=PICTURES))
    return report


@pytest.fixture(scope="session", autouse=True)
def _end_with_controller() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        end_with_controller()
