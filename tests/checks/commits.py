"""`python -m tests.checks.commits [--message FILE]`: commit subjects are `area: imperative`, 72 characters at most.

Only commits that origin/main does not have. Where there is no origin, only those since this rule began,
and no more than the last twenty. Merges are excepted.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 72
UPSTREAM = "refs/remotes/origin/main"
LAST = 20
_FORM = re.compile(r"(?P<area>[a-z0-9_.*/-]+(?:, [a-z0-9_.*/-]+)*): (?P<first>[a-z][a-z-]*)(?P<rest>\b.*)", re.DOTALL)
# Imperatives that end like other forms of a verb.
_IMPERATIVES = {
    *("bring", "cling", "fling", "ping", "ring", "sing", "sling", "spring", "sting", "string", "swing", "wring"),
    *("bed", "bleed", "breed", "embed", "exceed", "feed", "heed", "need", "proceed", "seed", "shed", "shred", "speed"),
    *("succeed", "weed", "wed", "alias", "bias", "bus", "canvas", "focus"),
}


def problem(subject: str) -> str | None:
    """Return what is wrong with a subject, or None."""
    form = _FORM.fullmatch(subject)
    if form is None:
        return "write `area: imperative`, such as `segments: count lists once`"
    first = form["first"]
    if first not in _IMPERATIVES and re.search(r"(ing|ed|[^s]s)$", first):
        return f"begin with an imperative, not with {first!r}"
    if subject.endswith("."):
        return "leave out the full stop"
    if len(subject) > LONGEST:
        return f"{len(subject)} characters; at most {LONGEST}"
    return None


def checked(*, repository: Path) -> list[tuple[str, str]]:
    """Return (short hash, subject) of the commits that the rule is for, the newest first."""
    if _git(repository, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return []
    wanted = _range(repository)
    log = _git(repository, "log", "--no-merges", "--format=%h%x00%s", *wanted) or ""
    return [(number, subject) for number, _, subject in (line.partition("\0") for line in log.splitlines())]


def _range(repository: Path) -> list[str]:
    if _git(repository, "rev-parse", "--verify", "--quiet", UPSTREAM):
        return [f"{UPSTREAM}..HEAD"]
    here = Path(__file__).resolve().relative_to(ROOT)
    began = (_git(repository, "log", "--diff-filter=A", "--format=%H", "--", str(here)) or "").split()
    # A history without the rule's beginning, such as a shallow clone's, is checked by its newest commits.
    return [f"--max-count={LAST}", *([f"{began[-1]}..HEAD"] if began else [])]


def _git(repository: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return answer.stdout if answer.returncode == 0 else None


def main(arguments: list[str], *, repository: Path = ROOT) -> int:
    """Check the branch's subjects, or the message of a commit that is being made; returns 1 when one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.commits")
    parser.add_argument("--message", type=Path, help="a file with the message of one commit, as git hands it to hooks")
    chosen = parser.parse_args(arguments)
    if chosen.message:
        subjects = [("this commit", chosen.message.read_text().partition("\n")[0])]
        subjects = [one for one in subjects if not one[1].startswith(("Merge ", "fixup! ", "squash! "))]
    else:
        subjects = checked(repository=repository)
    found = [(number, subject, wrong) for number, subject in subjects if (wrong := problem(subject))]
    for number, subject, wrong in found:
        print(f"{number}: {subject}\n    {wrong}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
