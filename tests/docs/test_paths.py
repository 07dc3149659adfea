"""Files and folders that the project's pages name exist."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Of other projects: gunicorn's settings, an Android project.
ELSEWHERE = {"gunicorn.conf.py", "app", "utils.py"}
_NAMED = re.compile(r"`([\w./-]+(?:\.py|/))`")


def test_every_path_that_a_page_names_exists():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    there = {name for name in listed if (ROOT / name).exists()}
    for name in list(there):
        there.update(str(folder) for folder in Path(name).parents)
    missing = []
    for page in sorted(name for name in there if name.endswith(".md") and name != "CHANGELOG.md"):
        for named in _NAMED.findall((ROOT / page).read_text()):
            path = named.removeprefix("./").rstrip("/")
            if path.startswith(("/", "var")) or path in ELSEWHERE or path in there:
                continue
            # A name alone, or one below the folder that the page speaks of.
            if not any(one.endswith(f"/{path}") for one in there):
                missing.append(f"{page}: {named}")
    assert not missing
