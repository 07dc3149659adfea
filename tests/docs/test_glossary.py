"""The glossary is the only dictionary: what it names exists, and words that it replaced are not used any more."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
# Word stems that the glossary replaced, with what to write instead.
RETIRED = {
    r"(?:door)?bells?": "notify",
    r"passages?": "membership change",
    r"presences?": "membership",
    r"judg(?:e|es|ed|ing|ement|ements)": "evaluate, check, or gate",
    r"barred": "opted out, or excluded",
    r"absorb(?:s|ed|ing)?": "merge",
    r"triggering": "entry by the API",
}
# A stored name, and places that have the word in another sense or speak of an earlier release.
ALLOWED = re.compile(r"segments_(?:presence|passage)\w*|bell\.caf|vip-not-judged|notifications?_bell")
HISTORY = ("CHANGELOG.md", "tests/docs/test_glossary.py", "docs/glossary.md")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def texts() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.md", "*.html", "*.js", "*.jsx"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split() if "/migrations/" not in name and name not in HISTORY]


@pytest.mark.parametrize("stem", RETIRED)
def test_a_word_that_the_glossary_replaced_is_used_nowhere(stem):
    word = re.compile(stem)
    found = []
    for name in texts():
        path = ROOT / name
        if not path.exists():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            parts = _PARTS.findall(ALLOWED.sub("", line))
            found += [f"{name}:{number}: {line.strip()}" for part in parts if word.fullmatch(part.lower())]
    assert not found, f"write {RETIRED[stem]!r} instead:\n" + "\n".join(found)


def test_code_that_the_glossary_names_exists():
    names = {name for cell in re.findall(r"`([^`]+)`", GLOSSARY) for name in re.findall(r"[A-Za-z_]\w+", cell)}
    code = "\n".join(
        (ROOT / name).read_text() for name in texts() if name.endswith(".py") and not name.startswith("tests/")
    )
    words = set(re.findall(r"\w+", code)) | {Path(name).stem for name in texts()}
    files = {"campaigns", "services", "transports", "devices", "py", "md"}
    missing = {name for name in names - files if name not in words and not any(word.startswith(name) for word in words)}
    assert not missing
