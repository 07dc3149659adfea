"""The npm package in a bundled application: no script tag, the same SDK."""

from pathlib import Path

from smartpush.machine.bootstrap.node import Node
from tests.browser.conftest import SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.sdk.conftest import QUEUE, told
from tests.browser.sdk.fake_api import BRAND, FakeApi
from tests.npm.installing import esbuild

from .conftest import arrive, eventually, ours


def test_a_bundled_application_runs_on_the_package_alone(
    chromium: Chromium, api: FakeApi, static_site: SiteFactory, desktop: Desktop, site_with_package: tuple[Path, Node]
):
    folder, node = site_with_package
    (folder / "app.ts").write_text(
        "import {smartpush, type Events} from 'smartpush-web';\n"
        "const told: [string, unknown][] = [];\n"
        "Object.assign(window, {told});\n"
        "const names: (keyof Events)[] = ['status', 'popup', 'push', 'click', 'error'];\n"
        "for (const name of names) smartpush('on', name, (detail) => { told.push([name, detail]); });\n"
        f"smartpush('init', {{brand: '{BRAND}', host: '{api.host}'}});\n"
        "smartpush('identify', 'user-1');\n"
    )
    esbuild(node, "app.ts", "--outfile=app.out.js", "--format=esm", "--minify", cwd=folder)
    site = static_site(
        {
            "/": (
                f"<!doctype html><html lang=en><title>App</title><script>{QUEUE}smartpush('event', 'early');</script>"
                "<script type=module src=/app.js></script><body><h1>App</h1>"
            ),
            "/app.js": (folder / "app.out.js").read_text(),
            # Copied out of the package, as its documentation says.
            "/push/smartpush-sw.js": (folder / "node_modules" / "smartpush-web" / "sw.js").read_text(),
        }
    )
    arrive(chromium, site)
    page = chromium.page
    assert api.named("session")[0].body["external_id"] == "user-1"
    eventually(page, lambda: [one["name"] for one in api.events.values()] == ["early"], what="the queued event")
    chromium.deliver_push(page, ours(api), scope="/push/")
    desktop.wait_notification(predicate=lambda one: one.summary == "Ours")
    eventually(page, lambda: told(page, "push"), what="the push event")
    assert told(page, "error") == []
    api.offer()
    page.evaluate("smartpush('event', 'deposit')")
    eventually(page, lambda: api.outcomes, what="the popup, answered by the permission that is there")
    assert list(api.outcomes.values()) == ["allowed"]
