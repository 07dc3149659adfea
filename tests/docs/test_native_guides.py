"""The guides' code names only what the server knows, and React Native's compiles.

The other three languages have no compiler here.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rest_framework import serializers as drf

from devices.delivery.popup_outcomes import POPUP_OUTCOMES
from devices.installations.reporting import REASONS
from devices.models import Status
from smartpush.api.sdk import serializers as ours
from smartpush.api.sdk.urls import urlpatterns
from tests.docs.guides import LANGUAGES, NATIVE, ROOT, blocks, files
from tests.support.node import MODULES, clone_node

TYPES = Path(__file__).parent / "types"
API, PAYLOAD = (NATIVE / "api.md").read_text(), (NATIVE / "payload.md").read_text()
PATHS = {str(one.pattern) for one in urlpatterns}
# What an app never calls.
ELSEWHERE = {"worker/subscription"}
WORD = r"[a-z][a-z0-9_]*(?:/[a-z]+)*"

# Words in the code that are no words of ours: the platforms' own, and names in the examples.
PLATFORM = {
    "android": {"app", "application/json", "harbour", "https", "offers", "smartpush", "smartpush_"},
    "ios": {"app", "application/json", "harbour", "https", "smartpush"},
    "react-native": {
        "active", "android", "app", "application/json", "background", "change", "granted", "harbour",
        "ios", "omit", "string",
    },
    "flutter": {"app", "harbour", "https"},
}  # fmt: skip
# Words of ours that stand in no serializer: an offer's content, and what `push.permission` may say.
CONTENT = {
    "language", "direction", "title", "text", "image", "subscribe_label", "later_label", "close_label",
    "colours", "primary", "url", "categories", "ltr", "rtl", "permission", "click", "granted", "denied", "default",
    "message", "fields", "error", "index", "code", "link",
}  # fmt: skip


def _said(kind: type[drf.Serializer[Any]]) -> Iterator[str]:
    for name, field in kind().fields.items():
        yield name
        yield from _choices(field)
        child = getattr(field, "child", field)
        if isinstance(child, drf.Serializer):
            yield from _said(type(child))


def _choices(field: drf.Field[Any, Any, Any, Any]) -> Iterator[str]:
    yield from (str(one) for one in getattr(field, "choices", ()))


SERIALIZERS = [one for one in vars(ours).values() if isinstance(one, type) and issubclass(one, drf.Serializer)]
KEYS = {word for kind in SERIALIZERS for word in _said(kind)}
CODES = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| \d{3}[^|]*\|", API, re.MULTILINE)))) | {
    code
    for path in [*(ROOT / "smartpush/api/sdk").rglob("*.py"), ROOT / "smartpush/common/calls/errors.py"]
    for code in re.findall(r'ApiError\(\s*\d+,\s*"([a-z_]+)"', path.read_text())
}
PAYLOAD_KEYS = set(re.findall(r"smartpush_[a-z_]+", PAYLOAD))
KNOWN = KEYS | CODES | PATHS | REASONS | set(Status.values) | set(POPUP_OUTCOMES) | PAYLOAD_KEYS | CONTENT


@pytest.fixture(params=LANGUAGES)
def guide(request: pytest.FixtureRequest) -> str:
    return request.param


def _code(guide: str) -> str:
    """The files of the client: what stands in a build script is the platform's."""
    comments_and_imports = re.compile(r"^\s*import .*$|^\} from .*$|/\*\*.*?\*/|(?<!:)//.*$", re.MULTILINE)
    return "\n".join(comments_and_imports.sub("", block) for block in files(guide).values())


def _words(guide: str) -> set[str]:
    return set(re.findall(rf"""(?<=["'])({WORD})(?=["'])""", _code(guide)))


def test_every_word_in_the_code_is_one_that_the_server_knows(guide: str):
    assert _words(guide) - KNOWN - PLATFORM[guide] == set()


def test_the_platform_s_own_words_are_still_there(guide: str):
    assert PLATFORM[guide] - _words(guide) == set()


def test_the_code_calls_every_address_of_an_app_and_no_other(guide: str):
    code = _code(guide)
    assert PATHS - ELSEWHERE - {"reports"} <= _words(guide)
    assert re.search(r"/reports['\"`]|smartpush_report_url", code)
    assert not [path for path in ELSEWHERE if path in code]


def test_the_code_reports_every_status_and_handles_every_code_that_the_contract_wants_handled(guide: str):
    wanted = {
        "ask", "allowed", "blocked", "not_supported", "settings_off", "token_missing", "app_unknown",
        "installation_unknown", "identity_required", "identity_refused", "token_not_yours",
    }  # fmt: skip
    assert wanted <= _words(guide)
    assert {"409", "429", "500"} <= set(re.findall(r"\b\d{3}\b", _code(guide)))
    assert "Retry-After" in _code(guide) and "X-Smartpush-App" in _code(guide)


def test_the_code_reads_no_key_of_a_push_that_the_payload_does_not_have(guide: str):
    assert set(re.findall(r"smartpush_[a-z_]+", _code(guide))) - PAYLOAD_KEYS <= {"smartpush_"}


def test_the_code_sends_an_app_key_and_never_a_site_s_key_or_an_origin(guide: str):
    code = _code(guide)
    assert "X-Smartpush-Key" not in code and not re.search(r"""["']Origin["']""", code)


def test_each_guide_says_how_far_its_code_is_checked(guide: str):
    page = " ".join((NATIVE / f"{guide}.md").read_text().split())
    assert ("it has not run on a phone" if guide == "react-native" else "this code is not compiled by it") in page
    assert len(blocks(guide)) >= len(files(guide)) >= 2


def test_the_types_of_the_wire_have_the_server_s_names():
    wire = re.sub(r"/\*\*.*?\*/", "", files("react-native")["wire.ts"])
    calls = wire.split("export interface Calls")[1]
    assert set(re.findall(r"^  '?([a-z/]+)'?: \[", calls, re.MULTILINE)) == PATHS - ELSEWHERE - {"reports"}
    assert set(re.findall(r"([a-z_]+)\??: ", wire)) - KNOWN == set()


def _tsc(folder: Path) -> tuple[int, str]:
    node = clone_node()
    compiler = [node.program, str(MODULES / "typescript" / "bin" / "tsc"), "--project", "."]
    code, out, err = node.run(compiler, cwd=folder)
    return code, out + err


def test_the_react_native_code_compiles_in_strict_mode_and_a_wrong_key_in_a_body_does_not(tmp_path: Path):
    shutil.copytree(TYPES, tmp_path, dirs_exist_ok=True)
    for name, text in files("react-native").items():
        (tmp_path / name).write_text(text)
    code, out = _tsc(tmp_path)
    assert code == 0, out

    client = tmp_path / "smartpush.ts"
    client.write_text(client.read_text().replace("{offer: popup.id}", "{offers: popup.id}"))
    code, out = _tsc(tmp_path)
    assert code != 0 and "smartpush.ts" in out, out
