"""Default words of popups, pushes and categories in the languages of the editors, until a marketer writes others."""

from smartpush.common.default_words.latin import LATIN
from smartpush.common.default_words.scripts import SCRIPTS
from smartpush.common.default_words.shape import Buttons, Words
from smartpush.common.languages import language_pick

__all__ = ["WORDS", "Buttons", "Words", "translated", "words_in"]

WORDS = {**LATIN, **SCRIPTS}


def words_in(language: str) -> Words:
    """Return the words of a language (pt-BR falls back to pt, zh-TW to zh-Hant), else the English ones."""
    return WORDS[language_pick(written=WORDS, wanted=[language], default="en")]


def translated(text: str, *, language: str, otherwise: str | None = None) -> str:
    """Return a button's title that is some language's default as this language has it.

    Another title is returned as it is, unless `otherwise` is to stand in its place.
    """
    for words in WORDS.values():
        for name in Buttons.__dataclass_fields__:
            if getattr(words.buttons, name) == text:
                return str(getattr(words_in(language).buttons, name))
    return text if otherwise is None else otherwise
