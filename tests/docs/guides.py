"""The code blocks of docs/native/*.md."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "docs" / "native"
LANGUAGES = {"android": "kotlin", "ios": "swift", "react-native": "typescript", "flutter": "dart"}


def blocks(guide: str) -> list[str]:
    """The guide's blocks in its own programming language."""
    page = (NATIVE / f"{guide}.md").read_text()
    return re.findall(rf"^```{LANGUAGES[guide]}\n(.*?)^```", page, re.S | re.M)


def files(guide: str) -> dict[str, str]:
    """Blocks that begin with a comment naming their file."""
    named = ((re.match(r"// (\S+)", block), block) for block in blocks(guide))
    return {match[1]: block for match, block in named if match}
