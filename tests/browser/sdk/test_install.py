"""The hint for iPhone and iPad, where only an installed web app has push."""

from tests.browser.conftest import ChromiumFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import eventually, init, page_with, run, told
from .fake_api import FakeApi
from .test_popup import CARD, CLOSE
from .test_status import AS_IPHONE

HINTED = """new Promise((done) => {
  const opening = indexedDB.open('smartpush');
  opening.onsuccess = () => {
    const base = opening.result;
    base.transaction('installations').objectStore('installations').getAll().onsuccess = ({target}) => {
      base.close();
      done(target.result.some(({hinted}) => hinted));
    };
  };
})"""


def test_safari_on_an_iphone_is_told_once_how_to_install(chromium_factory: ChromiumFactory, api: FakeApi, shop: Site):
    chromium = chromium_factory(size="phone")
    chromium.context.add_init_script(AS_IPHONE)
    hint = {"title": "Πάρε ειδοποιήσεις", "steps": ["Κοινή χρήση", "Στην οθόνη Αφετηρίας"], "language": "el"}
    shop.set("/", page_with(api, init(api, iosInstallHint=hint)))
    page = chromium.page
    page.goto(shop.url())
    page.wait_for_selector(CARD)
    assert page.inner_text("smartpush-popup h2") == "Πάρε ειδοποιήσεις"
    assert page.locator("smartpush-popup li").all_inner_texts() == hint["steps"]
    assert page.locator("smartpush-popup .buttons button").count() == 0
    page.click(CLOSE)
    states = [(one["offer"], one["state"]) for one in told(page, "popup")]
    assert states == [("install_hint", "shown"), ("install_hint", "closed")]

    eventually(page, lambda: page.evaluate(HINTED), what="the note that it was shown")
    page.reload()
    eventually(page, lambda: len(api.named("session")) == 2, what="the session")
    assert run(page, "'getStatus'")["reason"] == "ios_not_installed"
    assert page.locator(CARD).count() == 0
    assert run(page, "'showInstallHint'") is True
    page.wait_for_selector(CARD)
    assert run(page, "'showInstallHint'") is False


def test_elsewhere_there_is_nothing_to_install(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/", page_with(api, init(api, iosInstallHint=True)))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'")["endUser"], what="the session")
    assert run(chromium.page, "'showInstallHint'") is False
    assert chromium.page.locator(CARD).count() == 0
