"""The product's own files, for tests that refuse a second spelling of what has one owner."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PRODUCT = ("assets", "campaigns", "devices", "segments", "smartpush", "templates")


def product_sources(*suffixes: str) -> Iterator[tuple[Path, str]]:
    """Each file of the product with one of these endings, and its text; tests and what tools built are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_PRODUCT],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in listed.split("\0"):
        path = ROOT / name
        if name.endswith(suffixes) and path.is_file():
            yield path, path.read_text(encoding="utf-8")
