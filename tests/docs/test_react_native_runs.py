"""The React Native guide's client against the real server: a popup, permission, login, events, a lost installation."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from devices.lifecycle.brands import brand_create
from devices.models import Event, PushStatus
from tests.api.page import asking_campaign
from tests.docs.guides import files
from tests.support.native import native_app
from tests.support.node import MODULES, clone_node

PHONE = Path(__file__).parent / "phone"
STANDS_IN = ["@react-native-firebase/messaging", "@react-native-async-storage/async-storage", "react-native-keychain"]


@pytest.mark.django_db(transaction=True)
def test_the_guide_s_client_gets_permission_by_a_popup_and_tells_everything(live_server, tmp_path):
    brand = brand_create(name="Harbour Books", origin="https://books.example")
    asking_campaign(brand)
    app = native_app(brand, "ios")
    shutil.copytree(PHONE, tmp_path, dirs_exist_ok=True)
    for name, text in files("react-native").items():
        (tmp_path / name).write_text(text)
    node = clone_node()
    aliases = [f"--alias:{name}=./phone.js" for name in [*STANDS_IN, "react-native"]]
    esbuild = [node.program, str(MODULES / "esbuild" / "bin" / "esbuild")]
    bundle = ["scenario.js", "--bundle", "--format=esm", "--platform=node", "--outfile=out.mjs", "--log-level=warning"]
    code, out, err = node.run([*esbuild, *bundle, *aliases], cwd=tmp_path)
    assert code == 0, out + err

    environment = os.environ | {"HOST": live_server.url, "APP_KEY": app.app_key, "no_proxy": "*"}
    command = [node.program, "out.mjs"]
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    seen = json.loads(ran.stdout)

    assert seen["shown"] == ["permission"]
    assert (seen["preferences"], seen["markers"]) == ("allowed", ["NEWS"])
    assert seen["first"] != seen["second"] and set(seen["again"]) == {"NEWS", "SPORT"}
    assert Event.objects.filter(name="deposit", end_user__external_id="ann").count() == 1
    assert PushStatus.objects.filter(end_user__external_id="ann", status="allowed").exists()
