"""Words are taken apart and compared alike in the builder (words.test.mjs) and on the server (here)."""

import json
from pathlib import Path

import pytest

from segments.selectors.names.nearness import begins, meant_words, parts_of, slips_to

CASES = json.loads((Path(__file__).parent / "words.json").read_text())


@pytest.mark.parametrize(("text", "parts"), CASES["parts"])
def test_a_text_is_found_by_its_words_and_by_them_joined(text, parts):
    assert parts_of(text) == parts


@pytest.mark.parametrize(("typed", "words"), CASES["meant"])
def test_fillers_are_left_out_where_something_else_is_typed(typed, words):
    assert meant_words(typed) == words


@pytest.mark.parametrize(("name", "typed", "found"), CASES["begins"])
def test_a_name_is_found_by_the_beginnings_of_its_words(name, typed, found):
    [chunk] = meant_words(typed)
    assert begins(parts_of(name), chunk) is found


@pytest.mark.parametrize(("name", "typed", "slips"), CASES["slips"])
def test_a_slip_is_forgiven_by_the_length_of_the_word(name, typed, slips):
    [chunk] = meant_words(typed)
    assert slips_to(parts_of(name), chunk) == slips
