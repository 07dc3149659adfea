"""docs/README.md leads to every page, and links in our Markdown lead somewhere."""

import re
from pathlib import Path

from tests.checks.markdown import ROOT, documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def _targets(page: Path) -> set[Path]:
    """Files and folders of this repository that a page links to."""
    links = {link.partition("#")[0] for link in LINK.findall(FENCE.sub("", page.read_text()))}
    return {(page.parent / link).resolve() for link in links if link and not re.match(r"[a-z]+:|/|\{", link)}


def test_every_page_stands_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path != index and path.parent.name != "adr"}
    assert pages - _targets(index) == set()


def test_the_readme_leads_to_the_index() -> None:
    assert ROOT / "docs" / "README.md" in _targets(ROOT / "README.md")


def test_no_link_leads_nowhere() -> None:
    # The npm package's README is read where only the package is.
    pages = [page for page in documents() if "npm" not in page.parent.parts]
    broken = {
        f"{page.relative_to(ROOT)}: {target}" for page in pages for target in _targets(page) if not target.exists()
    }
    assert broken == set()
