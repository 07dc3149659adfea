"""`python -m tests.checks.markdown [--wrap] [FILES]`: lines of Markdown have at most 100 columns.

Tables, code, HTML and what has no place to break may be longer. `--wrap` breaks the paragraphs that have a
long line, and writes a file only when it renders as before.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 100
# At the beginning of a line these would begin a list, a quotation, a heading or a table.
_MARKERS = re.compile(r"[-+*=_]+$|[>#|]|\d+[.)]$|~~~|```")
_UNBROKEN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|!?\[[^]]*\]\([^)]*\)|<[^>]+>")


def long_lines(text: str) -> list[int]:
    """Return the numbers of the lines that are too long and could be broken, from 1."""
    free = set(_unlimited(text))
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > COLUMNS and number - 1 not in free and _breakable(line)
    ]


def wrapped(text: str) -> str:
    """Return the text with its long paragraphs broken anew. Raises ValueError if it would render otherwise."""
    long = {number - 1 for number in long_lines(text)}
    lines = text.splitlines()
    for token in reversed(_parse(text)):
        if token.type != "inline" or token.map is None or not long & set(range(*token.map)):
            continue
        begin, end = token.map
        first = lines[begin].index(token.content.split("\n", 1)[0].rstrip())
        prefix = lines[begin][:first]
        further = re.sub(r"[^>\s]", " ", prefix)
        lines[begin:end] = _filled(token.content, prefix=prefix, further=further)
    new = "\n".join(lines) + "\n"
    if _rendered(new) != _rendered(text):
        raise ValueError("broken anew it would render otherwise")
    return new


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def _rendered(text: str) -> str:
    return re.sub(r"\s+", " ", MarkdownIt("commonmark").enable("table").render(text))


def _unlimited(text: str) -> Iterator[int]:
    for token in _parse(text):
        if token.map and token.type in {"table_open", "fence", "code_block", "html_block", "heading_open"}:
            yield from range(*token.map)


def _breakable(line: str) -> bool:
    """Tell whether the line has a place to break that makes it shorter."""
    words = _words(line.strip())
    return (len(words) > 1 and not _MARKERS.match(words[0])) or len(words) > 2


def _words(content: str) -> list[str]:
    """The parts that are not broken: code, links, and words with the marks that must not begin a line."""
    held = _UNBROKEN.sub(lambda found: _kept(found[0]), content)
    words: list[str] = []
    for word in held.split():
        if words and _MARKERS.match(word):
            words[-1] += f" {word}"
        else:
            words.append(word)
    return [word.replace("\0", " ") for word in words]


def _kept(part: str) -> str:
    # A long text of a link is broken like any other; an address has no blanks.
    return part if part.startswith("[") and part.index("](") > COLUMNS // 2 else re.sub(r"\s+", "\0", part)


def _filled(content: str, *, prefix: str, further: str) -> list[str]:
    out: list[str] = []
    # Two blanks or a backslash at the end of a line are a break that somebody wants.
    for part in re.split(r"(?<=  )\n|(?<=\\)\n", content):
        kept = "  " if part.endswith("  ") else ""
        line = further if out else prefix
        empty = True
        for word in _words(part):
            if not empty and len(line) + 1 + len(word) > COLUMNS:
                out.append(line)
                line, empty = further, True
            line += word if empty else f" {word}"
            empty = False
        out.append(line + kept)
    return out


def documents() -> list[Path]:
    """Return the repository's Markdown files, those that are not committed yet included."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in sorted(set(names)) if name and (ROOT / name).is_file()]


def problems(paths: Iterable[Path]) -> list[str]:
    """Return a line for each long line."""
    return [
        f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{number}: more than {COLUMNS} columns"
        for path in paths
        for number in long_lines(path.read_text())
    ]


def main(arguments: list[str]) -> int:
    """Check the files, or all of the repository's; returns 1 when a line is too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.checks.markdown")
    parser.add_argument("--wrap", action="store_true", help="break the paragraphs that have a long line")
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args(arguments)
    paths = [path.resolve() for path in chosen.files] or documents()
    for path in paths if chosen.wrap else ():
        text = path.read_text()
        if long_lines(text):
            try:
                path.write_text(wrapped(text))
            except ValueError as error:
                print(f"{path}: {error}; break it by hand")
    found = problems(paths)
    for line in found:
        print(line)
    if found and not chosen.wrap:
        print("`.venv/bin/python -m tests.checks.markdown --wrap` breaks them.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
