"""The functions in docs/identity.md make tokens that are taken."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devices.installations.identity import token_check
from devices.models import IdentityObservation
from smartpush.common.time.clock import utc_now
from tests.support.identity_tokens import Signer, private_pem
from tests.support.node import clone_node

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "identity.md").read_text()
RUNS = re.findall(r"<!-- run by tests/api/test_identity_docs.py -->\n```(\w+)\n(.*?)```", TEXT, re.DOTALL)
CALLS = {
    "python": "\nimport sys\nprint(push_identity_token(sys.argv[1]))",
    "js": "\nconsole.log(pushIdentityToken(process.argv[1]))",
}


def program(language: str) -> list[str]:
    """Return what runs a text in this language: the interpreters of this clone."""
    return [sys.executable, "-c"] if language == "python" else [clone_node().program, "-e"]


@pytest.mark.parametrize("external_id", ["user-42", "Ζωή 猫"])
@pytest.mark.parametrize(("language", "code"), RUNS, ids=[language for language, _ in RUNS])
def test_the_documented_function_makes_a_token_that_is_taken(brand, tmp_path, language, code, external_id):
    signer = Signer(brand, "shop-2026-11")
    private = tmp_path / "identity-private.pem"
    private.write_text(private_pem(signer.private))
    ran = subprocess.run(
        [*program(language), code + CALLS[language], external_id],
        env={**os.environ, "IDENTITY_PRIVATE_KEY": str(private), "IDENTITY_KEY_ID": signer.kid},
        capture_output=True,
        text=True,
        check=True,
    )
    verdict = token_check(brand=brand, token=ran.stdout, external_id=external_id, now=utc_now())
    assert verdict.outcome == "valid"


def test_python_and_plain_node_are_both_run():
    assert [language for language, _ in RUNS] == ["python", "js"]


def test_every_outcome_is_explained():
    outcomes = set(re.findall(r"^\| `(\w+)` \|", TEXT.split("## What can be wrong")[1], re.MULTILINE))
    assert outcomes == set(IdentityObservation.Outcome.values) - {"valid"}
