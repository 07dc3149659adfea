"""Default words of popups, pushes and categories in the languages of the editors, until a marketer writes others."""

from smartpush.common.language.default_words.latin import LATIN
from smartpush.common.language.default_words.scripts import SCRIPTS
from smartpush.common.language.default_words.shape import Buttons, Words
from smartpush.common.language.languages import language_pick

__all__ = ["WORDS", "Buttons", "Words", "translated", "words_are_in", "words_in"]

WORDS = {**LATIN, **SCRIPTS}

# What buttons were called first in releases before this one: popups that have these titles still have ours.
_FORMER = {
    "Pretplati se": "subscribe", "Naroči se": "subscribe", "Претплати се": "subscribe", "اشترك": "subscribe",
    "اعرض لي": "show", "Baka mamaya": "later", "Jangan sekarang": "not_now", "समझ गया": "got_it",
}  # fmt: skip


def words_in(language: str) -> Words:
    """Return the words of a language (pt-BR falls back to pt, zh-TW to zh-Hant), else the English ones."""
    return WORDS[language_pick(written=WORDS, wanted=[language], default="en")]


def translated(text: str, *, language: str, otherwise: str | None = None) -> str:
    """Return a button's title that is some language's default as this language has it.

    Another title is returned as it is, unless `otherwise` is to stand in its place.
    """
    known = {getattr(words.buttons, name): name for words in WORDS.values() for name in Buttons.__dataclass_fields__}
    name = known.get(text) or _FORMER.get(text)
    if name is not None:
        return str(getattr(words_in(language).buttons, name))
    return text if otherwise is None else otherwise


def words_are_in(language: str) -> bool:
    """Return whether there are words of ours in the language, which are English otherwise."""
    return bool(language_pick(written=WORDS, wanted=[language], default=""))
