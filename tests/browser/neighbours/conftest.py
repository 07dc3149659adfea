"""What stands around the SDK here: npm's libraries, bundled as a site would, and the pushes of others."""

import json
from pathlib import Path
from typing import Any

import pytest

from smartpush.machine.bootstrap.node import Node
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site
from tests.browser.sdk.conftest import SUBSCRIBE, allow, api, eventually, run  # noqa: F401 - fixtures
from tests.browser.sdk.fake_api import FakeApi
from tests.npm.installing import install_package


@pytest.fixture(scope="session")
def site_with_package(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Node]:
    """A site's folder with the npm package in its node_modules, and the Node to work with."""
    folder = tmp_path_factory.mktemp("site")
    return folder, install_package(folder)


def ours(api: FakeApi, **fields: Any) -> str:  # noqa: F811 - not the fixture
    """A push of ours as the worker gets it."""
    report = {"url": f"{api.host}/api/v1/sdk/reports", "token": "secret-token"}
    return json.dumps({"smartpush": {"v": 1, "id": "de_1", "title": "Ours", "body": "", "report": report, **fields}})


def arrive(chromium: Chromium, site: Site) -> None:
    """Open the site's front page, subscribed and with a session."""
    chromium.context.add_init_script(SUBSCRIBE)
    chromium.set_permission(site.origin, "granted")
    chromium.page.goto(site.url())
    eventually(
        chromium.page, lambda: (run(chromium.page, "'getStatus'") or {}).get("status") == "allowed", what="the session"
    )
