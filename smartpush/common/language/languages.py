"""Read language tags: the one answer to what a tag means, which text it is served, and whom *language is X* selects.

A tag is kept twice: as it was sent (tidied by `language_clean`), and canonical (`canonical`), which is language, script
and, where the tag names one, region, by CLDR's aliases and likely subtags (docs/adr/0018).
"""

import functools
import re
from collections.abc import Iterable, Sequence

from babel import Locale
from babel.core import get_global

MAX_LANGUAGE = 16  # characters of a tag as it is kept
MAX_CANONICAL = 32
_MOST_READ = 64  # characters of what somebody sends as a tag
_SUBTAG = re.compile(r"[A-Za-z0-9]{1,8}")
# POSIX writes LANGUAGE_REGION.CHARSET@MODIFIER; some modifiers are scripts.
_POSIX = re.compile(r"([^.@]*)(?:\.[^@]*)?(?:@(.*))?", re.DOTALL)
_MODIFIERS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva"}
# Extended language subtags stand for a language of their own (RFC 5646, 4.5): zh-yue is yue.
_EXTENDED = frozenset({"ar", "kok", "lv", "ms", "sw", "uz", "zh"})
_OLD = {"no-bok": "nb", "no-nyn": "nn", "zh-guoyu": "zh", "zh-hakka": "hak", "zh-min-nan": "nan", "zh-xiang": "hsn"}
# Languages whose readers read each other's texts before any third language.
_FAMILIES = {"nb": "no", "nn": "no"}
_NO_LANGUAGE = frozenset({"mis", "mul", "und", "zxx"})
_RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})
_LANGUAGE_ALIASES = get_global("language_aliases")
_LIKELY = get_global("likely_subtags")
_SCRIPT_ALIASES = get_global("script_aliases")
_REGION_ALIASES = get_global("territory_aliases")
_ENGLISH = Locale("en")
_SHORT_NAMES = {"GB": "UK", "US": "US"}  # CLDR's short ones, which Babel does not keep


def language_clean(value: str) -> str:
    """Return a tag (RFC 5646) as it is kept, such as `en-GB`, whole subtags up to 16 characters; "" where it is none.

    POSIX names are read as well: `en_US.UTF-8` is en-US, `sr_RS@latin` is sr-Latn-RS, and `C` is none.
    """
    found = _POSIX.fullmatch(value.strip())
    name, modifier = (found[1], found[2]) if found is not None else (value, "")
    subtags = name.replace("_", "-").split("-")
    if not subtags[0].isascii() or not subtags[0].isalpha() or len(subtags[0]) not in (2, 3):
        return ""
    script = _MODIFIERS.get((modifier or "").lower())
    if script is not None and not any(len(subtag) == 4 and subtag.isalpha() for subtag in subtags):
        subtags.insert(1, script)
    tag = subtags[0].lower()
    for subtag in subtags[1:]:
        if not _SUBTAG.fullmatch(subtag) or len(subtag) == 1:
            break  # extensions such as -u-nu-latn say nothing about the words to show
        shown = subtag.upper() if len(subtag) == 2 else subtag.title() if len(subtag) == 4 else subtag.lower()
        if len(tag) + 1 + len(shown) > MAX_LANGUAGE:
            break
        tag = f"{tag}-{shown}"
    return tag


def language_valid(value: str) -> bool:
    """Tell whether a text is the tag of a language: `C`, `english` and `und` are none."""
    return bool(canonical(value))


def canonical(value: str) -> str:
    """Return a tag with the current names of its parts and with its script: zh-TW is zh-Hant-TW, iw is he-Hebr.

    No region is added to a tag that names none. Norwegian has one name, `no`. "" where the text is no language.
    """
    parts = _parts(value[:_MOST_READ])
    return _joined(_FAMILIES.get(parts[0], parts[0]), *parts[1:]) if parts is not None else ""


def wanted_range(value: str) -> str:
    """Return what the canonical tags begin with that a tag stands for: en for en, zh-Hant-TW for zh-TW; "" for none.

    A language alone stands for all that it is written in and wherever it is spoken.
    """
    full = canonical(value)
    return full.split("-")[0] if full and _is_bare(value[:_MOST_READ]) else full


def language_pick(*, written: Iterable[str], wanted: Iterable[str], default: str) -> str:
    """Return the written tag to serve to somebody who wants these languages, the first one first; else the default.

    Each wanted tag is looked up whole, then without its region, then without its script: en-GB, en. A region that it
    does not name is another one's, and is not served; who names none is served the likely one's (pt: pt-BR).
    """
    return _pick(tuple(written), tuple(wanted), default)


def language_same(one: str, other: str) -> bool:
    """Tell whether two tags name the same language, script and region: iw and he; not nb and nn."""
    return one == other or (_own_range(one) != "" and _own_range(one) == _own_range(other))


def language_label(value: str) -> str:
    """Return the English name of a tag's language, such as Portuguese (Brazil); the tag itself where it has none."""
    parts = _parts(value[:_MOST_READ])
    names = _ENGLISH.languages
    if parts is None or parts[0] not in names:
        return value
    language, script, region = parts
    details = []
    if script and script != _likely(language)[0] and (not region or script != _likely(language, region)[0]):
        details.append(_ENGLISH.scripts.get(script, script))
    if region:
        details.append(_SHORT_NAMES.get(region) or _ENGLISH.territories.get(region, region))
    name: str = names[language]
    return f"{name} ({', '.join(details)})" if details else name


def language_choice(value: str) -> str:
    """Return how a tag is offered: by its English name and itself."""
    label = language_label(value)
    return value if label == value else f"{label} · {value}"


def language_short(value: str) -> str:
    """Return a canonical tag without the script that everybody expects: en-GB for en-Latn-GB, zh-TW for zh-Hant-TW."""
    parts = _parts(value[:_MOST_READ])
    if parts is None:
        return ""
    language, script, region = parts
    expected = _likely(language, region)[0] if region else _likely(language)[0]
    return _joined(_FAMILIES.get(language, language), "" if script == expected else script, region)


def direction_of(value: str) -> str:
    """Return `rtl` or `ltr`, by the script that the tag names or is likely written in."""
    parts = _parts(value[:_MOST_READ])
    return "rtl" if parts is not None and parts[1] in _RIGHT_TO_LEFT else "ltr"


def known_language(value: str) -> str:
    """Return a tag as it is kept where CLDR has a name for its language, else ""."""
    parts = _parts(value[:_MOST_READ])
    return language_clean(value) if parts is not None and parts[0] in _ENGLISH.languages else ""


def _joined(language: str, script: str, region: str) -> str:
    return "-".join(part for part in (language, script, region) if part)


def _own_range(value: str) -> str:
    """As `wanted_range`, with the members of a family told apart."""
    parts = _parts(value[:_MOST_READ])
    if parts is None:
        return ""
    return parts[0] if _is_bare(value[:_MOST_READ]) else _joined(*parts)


@functools.lru_cache(maxsize=4096)
def _named(value: str) -> tuple[str, str, str] | None:
    """Return language, script and region as the tag names them, by their current names; None where it is none."""
    subtags = language_clean(value).split("-")
    if len(subtags) > 1:
        low = [subtag.lower() for subtag in subtags]
        for size in (3, 2):
            old = _OLD.get("-".join(low[:size]))
            if old is not None:
                subtags = [old, *subtags[size:]]
                break
        else:
            if subtags[0] in _EXTENDED and len(subtags[1]) == 3 and subtags[1].isalpha():
                subtags = subtags[1:]
    script = next((one for one in subtags[1:] if len(one) == 4 and one.isalpha()), "")
    region = next((one for one in subtags[1:] if _is_region(one)), "")
    # An alias may say more than a language: sh is sr-Latn.
    language, *implied = _LANGUAGE_ALIASES.get(subtags[0], subtags[0]).split("_")
    if not language or language in _NO_LANGUAGE:
        return None
    script = _SCRIPT_ALIASES.get(script, script) or next((one for one in implied if len(one) == 4), "")
    region = _REGION_ALIASES.get(region, [region])[0] or next((one for one in implied if _is_region(one)), "")
    return language, script, region


def _is_region(subtag: str) -> bool:
    return (len(subtag) == 2 and subtag.isalpha()) or (len(subtag) == 3 and subtag.isdigit())


@functools.lru_cache(maxsize=4096)
def _parts(value: str) -> tuple[str, str, str] | None:
    """Return language, script (the likely one where the tag names none) and the region that the tag names, if any."""
    named = _named(value)
    if named is None:
        return None
    language, script, region = named
    return language, script or _likely(language, region)[0], region


def _is_bare(value: str) -> bool:
    """Tell whether a tag names a language alone."""
    named = _named(value)
    return named is not None and not named[1] and not named[2]


@functools.lru_cache(maxsize=4096)
def _likely(language: str, region: str = "") -> tuple[str, str]:
    """Return the script and the region of most who read a language, there where a region is given; "" if unknown."""
    for key in (f"{language}_{region}", language):
        found = _LIKELY.get(key)
        if found is not None:
            _, script, place = found.split("_")
            return script, place
    return "", ""


@functools.lru_cache(maxsize=4096)
def _pick(written: tuple[str, ...], wanted: tuple[str, ...], default: str) -> str:
    for tag in wanted:
        if tag in written and language_valid(tag):
            return tag
        parts = _parts(tag[:_MOST_READ])
        if parts is None:
            continue
        language, script, region = parts
        family = _FAMILIES.get(language, language)
        own = {_own_range(one): one for one in reversed(written)}
        related = {
            wanted_range(one): one for one in sorted(written, key=lambda one: (one != family, one), reverse=True)
        }
        for candidate in _truncations(language, script, region):
            if candidate in own:
                return own[candidate]
        for candidate in _truncations(family, script, region):
            if candidate in related:
                return related[candidate]
    return default


def _truncations(language: str, script: str, region: str) -> Sequence[str]:
    """Return what to look up, in order: whole, without the region, without the script; the likely region at last."""
    found = [_joined(language, script, region)] if region else []
    found += [_joined(language, script, ""), language]
    likely_script, place = _likely(language)
    if not region and place and script == likely_script:
        found.append(_joined(language, script, place))
    return [one for one in found if one]
