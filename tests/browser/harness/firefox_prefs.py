"""The preferences of a test profile: real push and real prompts, and no word to the internet."""

import json
from pathlib import Path

from .sites import INSECURE_HOST

Pref = bool | int | str

PUSH: dict[str, Pref] = {
    "dom.push.enabled": True,
    # Said aloud: the remote agent's recommended prefs turn it off, and subscribe then ends in AbortError.
    "dom.push.connection.enabled": True,
    "dom.push.testing.allowInsecureServerURL": True,
    # After the push service was restarted, come back in a fifth of a second instead of five seconds.
    "dom.push.retryBaseInterval": 200,
    "remote.prefs.recommended": False,
    "security.notification_enable_delay": 0,
    "permissions.isolateBy.userContext": True,
    "privacy.userContext.enabled": True,
}

OFFLINE: dict[str, Pref] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": f"localhost, 127.0.0.1, {INSECURE_HOST}",
    "network.dns.localDomains": INSECURE_HOST,
    "network.trr.mode": 5,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "app.normandy.enabled": False,
    "app.shield.optoutstudies.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.region.update.enabled": False,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.usage.uploadEnabled": False,
    "extensions.blocklist.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "data:,",
    "toolkit.telemetry.unified": False,
}

QUIET: dict[str, Pref] = {
    "browser.aboutwelcome.enabled": False,
    "browser.dom.window.dump.enabled": True,
    "browser.newtab.preload": False,
    "browser.newtabpage.enabled": False,
    "browser.preonboarding.enabled": False,
    "browser.sessionstore.resume_from_crash": False,
    "browser.newtabpage.activity-stream.feeds.system.topsites": False,
    "browser.newtabpage.activity-stream.feeds.topsites": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.unloadOnLowMemory": False,
    "browser.tabs.warnOnClose": False,
    "browser.translations.enable": False,
    # Pages and service workers print their console here; BiDi reports only pages.
    "devtools.console.stdout.content": True,
    "dom.disable_open_during_load": False,
    "dom.ipc.processPrelaunch.enabled": False,
    "dom.no_unknown_protocol_error.enabled": False,
    "services.settings.loglevel": "off",
    "startup.homepage_welcome_url": "",
    "termsofuse.acceptedVersion": 999,
    "termsofuse.bypassNotification": True,
    "toolkit.startup.max_resumed_crashes": -1,
    "xul.panel-animations.enabled": False,
}


def write_user_js(*, profile: Path, prefs: dict[str, Pref]) -> None:
    """Write a profile's user.js: the defaults of this file, then `prefs` over them."""
    merged = {**OFFLINE, **QUIET, **PUSH, **prefs}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in merged.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")
