"""Which lines of Markdown are too long, and that breaking them changes nothing that a reader sees."""

from pathlib import Path

import pytest

from tests.checks.markdown import COLUMNS, documents, long_lines, main, problems, wrapped

LONG = "some words that go on " * 8
ADDRESS = f"https://example.com/{'a' * 100}"


def test_every_document_keeps_to_the_limit() -> None:
    assert len(documents()) > 50
    assert problems(documents()) == []


@pytest.mark.parametrize("text", [LONG, f"- {LONG}", f"> {LONG}", f"1. one\n   - {LONG}", f"[{LONG}](a.md)"])
def test_prose_that_goes_on_is_too_long(text: str) -> None:
    assert len(long_lines(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"| a | b |\n|---|---|\n| {LONG} | x |",
        f"```\n{LONG}\n```",
        f"- item\n\n  ```sh\n  {LONG}\n  ```",
        f"    {LONG}",
        f"<p>{LONG}</p>",
        ADDRESS,
        f"- [the page]({ADDRESS})",
        f"`{LONG.strip()}`",
        "x" * COLUMNS,
    ],
)
def test_tables_code_and_what_cannot_be_broken_may_be_longer(text: str) -> None:
    assert long_lines(text) == []


def test_a_broken_paragraph_reads_as_before_and_keeps_its_place() -> None:
    before = f"# Title\n\n1. First\n   - {LONG}\n     and [a link](a.md), `code with blanks`.\n\n> {LONG}\n\nShort.\n"
    after = wrapped(before)
    assert long_lines(after) == []
    assert [word for word in after.split() if word != ">"] == [word for word in before.split() if word != ">"]
    lines = after.splitlines()
    assert lines[3].startswith("   - some words")
    assert lines[4].startswith("     ")
    assert [line for line in lines if line.startswith("> ")] == lines[-4:-2]
    assert "`code with blanks`" in after


def test_no_line_begins_with_a_mark_that_means_something_else() -> None:
    words = f"{'x' * 99} - {'y' * 50} 1. {'z' * 60} # {'w' * 40} + {'v' * 60}\n"
    after = wrapped(words)
    assert after.split() == words.split()
    assert all(line[0] in "xyzwv" for line in after.splitlines())


def test_a_break_that_somebody_wants_is_kept() -> None:
    after = wrapped(f"{LONG.strip()}  \nnext line\n")
    assert after.endswith("  \nnext line\n")


def test_the_command_names_the_line_and_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Short.\n\n{LONG}\n")
    assert main([str(page)]) == 1
    assert f"{page}:3: more than 100 columns" in capsys.readouterr().out
    assert main(["--wrap", str(page)]) == 0
    assert main([str(page)]) == 0
