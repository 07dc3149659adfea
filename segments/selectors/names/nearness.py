"""How searched words and names are compared; segments/builder/words.js has the same rules for built-in fields.

tests/segments/builder/words.json holds both to one table of examples.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

_WORD = re.compile(r"[^\W_]+")
_SIMILAR = 0.7  # of 1, for difflib: most of the name is there, with a part before or after it
_ONE_SLIP = 4  # letters: shorter words are near to far too many
_TWO_SLIPS = 9
_PREFIX = 5  # letters from which on the beginning of a word may be near
_MOST_LETTERS = 64
# Words of a search that say what kind of thing is meant, or join the others: none has to be in a name.
FILLERS = frozenset(
    [
        "is", "set", "to", "equals", "event", "events", "property", "properties", "a", "an", "the", "of", "with",
        "named", "called",
    ]
)  # fmt: skip


def words_of(text: str) -> Sequence[Sequence[str]]:
    """Split a text at spaces, each piece into its words: `orderTotal` and `order_total` are order, total."""
    chunks = ([*_humps(word)] for word in text.replace("\x00", "").split())
    return [chunk for chunk in chunks if chunk]


def _humps(chunk: str) -> Iterator[str]:
    for token in _WORD.findall(chunk):
        start = 0
        for at in range(1, len(token)):
            before, here = token[at - 1], token[at]
            after = token[at + 1] if at + 1 < len(token) else ""
            if here.isupper() and (before.islower() or before.isdecimal() or (before.isupper() and after.islower())):
                yield token[start:at].lower()
                start = at
        yield token[start:].lower()  # as JavaScript: no ss for ß


def parts_of(text: str) -> Sequence[str]:
    """Return all words by whose beginnings a text is found: those of `orderTotal` are order, total and ordertotal."""
    found: list[str] = []
    for chunk in words_of(text):
        found += chunk if len(chunk) == 1 else [*chunk, "".join(chunk)]
    return found


def meant_words(typed: str) -> Sequence[Sequence[str]]:
    """Return what was typed without its fillers; all of it where there is nothing else."""
    chunks = words_of(typed)
    return [chunk for chunk in chunks if not FILLERS.issuperset(chunk)] or chunks


def begins(parts: Sequence[str], chunk: Sequence[str]) -> bool:
    """Tell whether the chunk, or each of its words, begins one of the parts; a plural finds the singular."""
    return _begins(parts, "".join(chunk)) or (len(chunk) > 1 and all(_begins(parts, word) for word in chunk))


def _begins(parts: Sequence[str], word: str) -> bool:
    starts = (word, word[:-1]) if len(word) > 3 and word.endswith("s") else (word,)
    return any(part.startswith(starts) for part in parts)


def slips_to(parts: Sequence[str], chunk: Sequence[str]) -> int | None:
    """Return how many slips lie between the chunk and the nearest of the parts; None where none is near."""
    if begins(parts, chunk):
        return 0
    whole = [found for part in parts if (found := _near("".join(chunk), part)) is not None]
    if whole or len(chunk) == 1:
        return min(whole, default=None)
    each = [slips_to(parts, [word]) for word in chunk]
    known = [found for found in each if found is not None]
    return sum(known) if len(known) == len(each) else None


def _near(word: str, part: str) -> int | None:
    most = _allowed(word)
    found = slips(word, part) if abs(len(word) - len(part)) <= most else most + 1
    if 0 < most < found and len(word) >= _PREFIX and len(part) > len(word):
        most, found = 1, slips(word, part[: len(word)])  # a word that is not typed to its end
    return found if found <= most else None


def _allowed(word: str) -> int:
    return 0 if not _ONE_SLIP <= len(word) <= _MOST_LETTERS else 1 if len(word) < _TWO_SLIPS else 2


def slips(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with their neighbour between two words."""
    above: list[int] = []
    row = list(range(len(other) + 1))
    for n, letter in enumerate(one, 1):
        before, above, row = above, row, [n]
        for m, counterpart in enumerate(other, 1):
            least = min(above[m] + 1, row[m - 1] + 1, above[m - 1] + (letter != counterpart))
            if n > 1 and m > 1 and letter == other[m - 2] and one[n - 2] == counterpart:
                least = min(least, before[m - 2] + 1)
            row.append(least)
    return row[-1]


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name that is most like this one, the earlier of equals; empty where none is."""
    typed = name.casefold()
    folded: dict[str, str] = {}
    for item in known:
        folded.setdefault(item.casefold(), item)
    if typed in folded:
        return folded[typed]
    most = _allowed(typed)
    close = [item for item in folded if abs(len(item) - len(typed)) <= most] if most else []
    best = min(((slips(typed, item), n, item) for n, item in enumerate(close)), default=(most + 1, 0, ""))
    if best[0] <= most:
        return folded[best[2]]
    found = get_close_matches(typed, folded, n=1, cutoff=_SIMILAR)
    return folded[found[0]] if found else ""
