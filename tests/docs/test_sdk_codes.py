"""The codes that the SDK can meet and those that its documentation explains are the same."""

import ast
import re
from pathlib import Path

from devices.sdk_files import RARE_FILES, SDK_FILES, joined
from smartpush.common.calls import errors
from smartpush.common.calls.left_out import LeftOutCode
from tests.support.node import ROOT

CLIENT_PLACES = (
    r"failure\('([a-z_]+)'",
    r"(?:\[|\{code: )'([a-z_]+)',",
    r"(?:code: |\|\| )'(internal|no_page)'",
    r"^  ([a-z0-9_]+): ",
)
# Answers to native apps and their own words stand in docs/native.
SERVER_SOURCES = [*sorted((ROOT / "smartpush/api/sdk").rglob("*.py")), ROOT / "smartpush/api/cors.py"]


COMMON_SOURCES = [
    ROOT / path for path in ("smartpush/common/calls/errors.py", "smartpush/api/outages.py", "smartpush/api/bodies.py")
]


def documented() -> set[str]:
    """The codes in the first column of both tables."""
    text = (ROOT / "docs/sdk.md").read_text()
    section = re.split(r"\n##+ ", text.split("### Codes", 1)[1], maxsplit=1)[0]
    rows = re.findall(r"^\| (`.*?) \|", section, flags=re.M)
    return {code for row in rows for code in re.findall(r"`([a-z0-9_]+)`", row)}


def of_the_client() -> set[str]:
    main, rare = joined(SDK_FILES), joined(RARE_FILES)
    found = set(re.findall(CLIENT_PLACES[0], main)) | set(re.findall(CLIENT_PLACES[1], rare))
    found |= set(re.findall(CLIENT_PLACES[2], main + (ROOT / "devices/npm/page.py").read_text()))
    advice = rare.split("const ADVICE = {", 1)[1].split("\n};", 1)[0]
    return found | set(re.findall(CLIENT_PLACES[3], advice, flags=re.M))


def strings_in(path: Path, call: str, position: int) -> set[str]:
    """The literal argument at a position of every call of this name in a file."""
    return {
        node.args[position].value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == call
        and len(node.args) > position
        and isinstance(node.args[position], ast.Constant)
    }


def of_the_server() -> set[str]:
    found: set[str] = set(errors._CODES.values()) | {"invalid_event"}
    for path in [*SERVER_SOURCES, *COMMON_SOURCES]:
        found |= strings_in(path, "ApiError", 1) | strings_in(path, "error_body", 0)
    return found


def test_every_code_is_in_the_documentation_and_no_other():
    assert documented() == of_the_client() | of_the_server()


def test_the_types_know_every_code_that_the_sdk_gives_by_itself():
    union = (ROOT / "devices/npm/smartpush.d.ts").read_text().split("export type ErrorCode =", 1)[1].split(";", 1)[0]
    known = set(re.findall(r"'([a-z0-9_]+)'", union))
    assert (of_the_client() - {"rate_limited", "not_found", "http_404"}) | set(LeftOutCode) <= known
