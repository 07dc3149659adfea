"""One table of first words: whole in each language, short enough for what it fills, and found as content is."""

from dataclasses import astuple

import pytest

from smartpush.common.default_words import WORDS, translated, words_in
from smartpush.common.personalisation import check_rendering, check_template


def test_the_common_languages_are_there():
    common = "ar bg cs da de el en es fi fr he hr hu it ja nl no pl pt pt-BR ro ru sv tr uk zh"
    assert set(WORDS) == set(common.split())


@pytest.mark.parametrize("language", WORDS)
def test_every_word_fills_its_place(language):
    words = words_in(language)
    assert all(0 < len(title) <= 30 for title in astuple(words.buttons))
    assert len(words.title) <= 120
    assert all(0 < len(text) <= 200 for text in (words.ask, words.choose, words.welcome, words.thanks))
    assert all(name and about and len(about) <= 200 for name, about in (words.news, words.offers))
    assert check_template(words.welcome) == []
    assert check_rendering(words.welcome) is None


@pytest.mark.parametrize(
    ("language", "title"),
    [("de", "Abonnieren"), ("de-AT", "Abonnieren"), ("pt-BR", "Inscrever-se"), ("pt-PT", "Subscrever"),
     ("th", "Subscribe"), ("", "Subscribe")],
)  # fmt: skip
def test_a_region_has_the_words_of_its_language_and_an_unknown_one_the_english(language, title):
    assert words_in(language).buttons.subscribe == title


@pytest.mark.parametrize(
    ("text", "language", "is_now"),
    [("Not now", "de", "Nicht jetzt"), ("Nicht jetzt", "fr", "Pas maintenant"), ("Read it", "de", "Read it"),
     ("", "de", ""), ("Not now", "th", "Not now")],
)  # fmt: skip
def test_only_a_title_of_ours_is_translated(text, language, is_now):
    assert translated(text, language=language) == is_now
