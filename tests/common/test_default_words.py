"""One table of first words: whole in each language, short enough for what it fills, and found as content is."""

import unicodedata
from dataclasses import astuple

import pytest

from assets.admin.base import LANGUAGES
from smartpush.common.default_words import WORDS, Buttons, translated, words_in
from smartpush.common.languages import canonical, language_pick
from smartpush.common.personalisation import check_rendering, check_template


@pytest.mark.parametrize("offered", [*LANGUAGES, "zh-HK", "zh-Hant", "sr-RS", "sr-Latn-RS", "iw", "in", "tl"])
def test_every_language_that_is_offered_begins_with_its_own_words_in_its_own_script(offered):
    found = language_pick(written=WORDS, wanted=[offered], default="")
    assert found, f"there are no words for {offered}"
    assert canonical(found).split("-")[:2] == canonical(offered).split("-")[:2]
    assert words_in(offered) == WORDS[found]


# What the Unicode names of letters begin with; Japanese mixes three scripts.
_SCRIPTS = {
    "Latn": "LATIN", "Cyrl": "CYRILLIC", "Grek": "GREEK", "Hebr": "HEBREW", "Arab": "ARABIC", "Deva": "DEVANAGARI",
    "Geor": "GEORGIAN", "Thai": "THAI", "Kore": "HANGUL", "Jpan": "", "Hans": "CJK", "Hant": "CJK",
}  # fmt: skip


@pytest.mark.parametrize("language", WORDS)
def test_words_are_written_in_the_script_of_their_language(language):
    script = _SCRIPTS[canonical(language).split("-")[1]]
    words = words_in(language)
    letters = [one for text in (words.title, words.ask, words.thanks, *words.news) for one in text if one.isalpha()]
    assert all(unicodedata.name(one).startswith(script) for one in letters)


def test_traditional_and_simplified_chinese_differ():
    assert (words_in("zh-TW").buttons.subscribe, words_in("zh-CN").buttons.subscribe) == ("訂閱", "订阅")


def test_a_title_of_ours_means_the_same_in_every_language_that_has_it():
    meant = {}
    for words in WORDS.values():
        for name in Buttons.__dataclass_fields__:
            meant.setdefault(getattr(words.buttons, name), set()).add(name)
    assert {title: names for title, names in meant.items() if len(names) > 1} == {}


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
     ("sw", "Subscribe"), ("", "Subscribe")],
)  # fmt: skip
def test_a_region_has_the_words_of_its_language_and_an_unknown_one_the_english(language, title):
    assert words_in(language).buttons.subscribe == title


@pytest.mark.parametrize(
    ("text", "language", "is_now"),
    [("Not now", "de", "Nicht jetzt"), ("Nicht jetzt", "fr", "Pas maintenant"), ("Read it", "de", "Read it"),
     ("", "de", ""), ("Not now", "sw", "Not now")],
)  # fmt: skip
def test_only_a_title_of_ours_is_translated(text, language, is_now):
    assert translated(text, language=language) == is_now


def test_another_title_can_make_room_for_the_languages_own():
    assert translated("Read it", language="de", otherwise="Anzeigen") == "Anzeigen"
    assert translated("Not now", language="de", otherwise="Anzeigen") == "Nicht jetzt"
