"""One table of first words: whole in each language, short enough for what it fills, and found as content is."""

import re
import unicodedata
from dataclasses import astuple

import pytest

from assets.admin.base import LANGUAGES
from smartpush.common.language.default_words import WORDS, Buttons, translated, words_in
from smartpush.common.language.languages import canonical, language_pick
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


def every_text(words):
    return [
        *astuple(words.buttons), words.title, words.ask, words.choose, words.welcome, words.thanks, *words.news,
        *words.offers,
    ]  # fmt: skip


@pytest.mark.parametrize("language", WORDS)
def test_no_word_is_left_in_english_and_no_mark_is_unseen(language):
    texts = every_text(words_in(language))
    if language != "en":
        assert set(texts) & set(every_text(WORDS["en"])) == set()
        assert not re.search(r"\b(updated|offers?|news|subscribers?|there)\b", " ".join(texts), re.IGNORECASE)
    seen = [one for text in texts for one in text if unicodedata.category(one) == "Cf" and one != "\u200c"]
    assert seen == []  # pages give the direction; the joiner of Persian is a letter's form


@pytest.mark.parametrize(("language", "wanted", "other"), [
    ("ar", "؟", "?,;"), ("fa", "؟", "?,;"), ("el", ";", "?"), ("zh", "？！", "?!,"), ("zh-Hant", "？！", "?!,"),
    ("ja", "！", "?!,"),
])  # fmt: skip
def test_punctuation_is_that_of_the_language(language, wanted, other):
    text = "".join(text.split("{{")[0] for text in every_text(words_in(language)))
    assert [mark for mark in wanted if mark not in text] == []
    assert [mark for mark in other if mark in text] == []


# Who is spoken to politely in a sentence is so on the button: the familiar form of the same verb is not there.
@pytest.mark.parametrize(("language", "familiar"), [
    ("hr", "Pretplati se"), ("sr", "Претплати се"), ("sr-Latn", "Pretplati se"), ("sl", "Naroči se"),
])  # fmt: skip
def test_a_language_speaks_to_people_in_one_form(language, familiar):
    assert familiar not in every_text(words_in(language))


def test_a_title_that_was_ours_in_an_earlier_release_is_still_translated():
    assert translated("Pretplati se", language="de") == "Abonnieren"
    assert translated("समझ गया", language="en") == "Got it"


@pytest.mark.parametrize("language", WORDS)
def test_words_are_written_in_the_script_of_their_language(language):
    script = _SCRIPTS[canonical(language).split("-")[1]]
    words = words_in(language)
    texts = [text.split("{{")[0] for text in every_text(words)]
    letters = [one for text in texts for one in text if one.isalpha()]
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
    assert all(0 < len(title) <= 24 for title in astuple(words.buttons))
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
