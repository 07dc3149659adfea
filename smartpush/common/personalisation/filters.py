"""Every filter that templates have, with what it costs and how large its result gets, known before it runs.

A filter that is not in FILTERS does not exist for templates, so that a new version of the library brings none unseen.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from liquid import Environment
from liquid.exceptions import FilterArgumentError
from liquid.filter import flatten

from smartpush.common.personalisation.dates import date_guarded
from smartpush.common.personalisation.limits import (
    CALL,
    ITEM,
    MAX_LOOPS,
    MAX_OUTPUT,
    RANGE_WORDS,
    Meter,
    TemplateLimit,
    number_fits,
    range_size,
    size_of,
    text_fits,
    text_size,
    too_long,
)

Guard = Callable[..., Any]  # (meter, value, *args, **kwargs)
_WHITE = re.compile(r"\s+")
_NOT_WORD = re.compile(r"[^\w ]|_")
_URL_SAFE: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~ "


# --- sizes of results, in characters, from the text and the arguments ---
def _same(text: str, *_: Any) -> int:
    return len(text)


def _joined(text: str, more: Any) -> int:
    return len(text) + text_size(more)


def _replaced(text: str, old: Any, new: Any = "") -> int:
    text_fits(old, what="replace")
    old = str(old)
    return len(text) + text.count(old) * max(text_size(new) - len(old), 0)


def _replaced_once(text: str, _old: Any, new: Any = "") -> int:
    return len(text) + text_size(new)


def _whole(value: Any, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise  # the filter itself refuses it, or takes everything


def _cut(text: str, most: Any = 50, end: Any = "...") -> int:
    added = text_size(end)
    wanted = _whole(most, len(text))
    return (len(text) if wanted < added else min(len(text), wanted)) + added


def _cut_words(text: str, most: Any = 15, end: Any = "...") -> int:
    wanted = max(_whole(most, len(text)), 1)
    words = text.split(None, min(wanted, len(text)))[:wanted]
    return sum(map(len, words)) + len(words) + text_size(end)


def _escaped(text: str) -> int:
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">")) + 5 * _quotes(text)


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')


def _escaped_once(text: str) -> int:
    return len(text) + 5 * (text.count("&") + text.count("<") + text.count(">") + _quotes(text))


def _escaped_js(text: str) -> int:
    return len(text) + 5 * len(_NOT_WORD.findall(text))


def _case(text: str) -> int:
    return len(text) if text.isascii() else 3 * len(text)


def _breaks(text: str) -> int:
    return len(text) + 6 * text.count("\n")


def _stripped_html(text: str) -> int:
    return len(text) + text.count("&")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _base64(text: str) -> int:
    return 4 * (_bytes(text) // 3 + 1)


def _url(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return len(data) + 2 * len(data.translate(None, _URL_SAFE))


def _parts(text: str, separator: Any) -> int:
    text_fits(separator, what="split")
    separator = "" if separator is None else str(separator)
    if separator == " ":
        parts = len(_WHITE.findall(text)) + 1
    else:
        parts = text.count(separator) + 1 if separator else len(text)
    return len(text) + ITEM * parts


# --- guards ---
def _text(function: Guard, name: str, size: Callable[..., int] = _same, *, work: int = 1, square: str = "") -> Guard:
    """Guard a filter of texts: `work` units a character, and the square of how often it has one of `square`."""

    def guard(meter: Meter, value: Any, *args: Any) -> Any:
        touched = 0
        if type(value) is not str:
            text_fits(value, what=name)
            value = "" if value is None else str(value)
            touched = 2 * len(value)
        touched += len(value) + sum(map(_read, args))
        if square:
            touched += len(value) * sum(map(value.count, square))
        meter.charge(CALL + work * touched)
        if size(value, *args) > MAX_OUTPUT:
            raise TemplateLimit(too_long(name))
        return function(value, *args)

    return guard


def _read(argument: Any) -> int:
    """Return what reading an argument as a text costs, in characters."""
    return len(argument) if type(argument) is str else 3 * text_size(argument)


def _items(value: Any) -> int:
    """Return the size of what a filter of lists takes; raises TemplateLimit where that is too much."""
    if isinstance(value, range):
        if range_size(value) > MAX_LOOPS:
            raise TemplateLimit(RANGE_WORDS)
        return ITEM * range_size(value)
    size = size_of(value)
    if size > MAX_OUTPUT:
        raise TemplateLimit(f"A list has at most {MAX_OUTPUT // ITEM:,} items and {MAX_OUTPUT:,} characters here.")
    return size


def _list(
    function: Guard,
    name: str,
    size: Callable[..., int] | None = None,
    *,
    times: Callable[[int], int] = lambda items: 1,
) -> Guard:
    """Guard a filter of lists that goes through the items `times` over; without `size` the result is no larger."""

    def guard(meter: Meter, value: Any, *args: Any) -> Any:
        given = _items(value)
        meter.charge(CALL + 2 * (given + sum(map(_items, args))) * times(given // ITEM + 1))
        if size is not None and size(value, *args) > MAX_OUTPUT:
            raise TemplateLimit(too_long(name))
        return function(value, *args)

    return guard


def _sum(function: Guard) -> Guard:
    def guard(meter: Meter, value: Any, *args: Any) -> Any:
        meter.charge(CALL + 20 * (_items(value) + sum(map(_items, args))))
        for item in _leaves(value):
            for number in item.values() if args and isinstance(item, dict) else (item,):
                number_fits(number)
        result = function(value, *args)
        number_fits(result)
        return result

    return guard


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return flatten(value)
    return list(value) if isinstance(value, range) else [value]


def _size_joined(value: Any, separator: Any = " ") -> int:
    leaves = _leaves(value)
    return sum(map(text_size, leaves)) + text_size(separator) * len(leaves)


def _size_concat(value: Any, more: Any) -> int:
    return size_of(value) + size_of(more)


def _number(function: Guard) -> Guard:
    """Guard arithmetic: what goes in and what comes out are numbers of 64 bits."""

    def guard(meter: Meter, value: Any, *args: Any) -> Any:
        meter.charge(CALL)
        number_fits(value)
        for number in args:
            number_fits(number)
        result = function(value, *args)
        number_fits(result)
        return result

    return guard


def _light(function: Guard) -> Guard:
    """Guard a filter that returns what it was given, or a part, without a copy."""

    def guard(meter: Meter, value: Any, *args: Any, **kwargs: Any) -> Any:
        meter.charge(CALL)
        return function(value, *args, **kwargs)

    return guard


def _slice(function: Guard) -> Guard:
    def guard(meter: Meter, value: Any, *args: Any) -> Any:
        if isinstance(value, list | tuple | range):
            meter.charge(CALL + _items(value))
            return function(value, *args)
        text_fits(value if isinstance(value, list | dict) else "", what="slice")
        text = str(value)
        wanted = _whole(args[1], len(text)) if len(args) > 1 else 1
        meter.charge(CALL + len(text))
        if min(len(text), max(wanted, 0)) > MAX_OUTPUT:
            raise TemplateLimit(too_long("slice"))
        return function(value, *args)

    return guard


def _log2(items: int) -> int:
    return items.bit_length() + 1


def _squared(items: int) -> int:
    return items


_SIZES: Final[Mapping[str, Callable[..., int]]] = {
    "append": _joined,
    "prepend": _joined,
    "replace": _replaced,
    "replace_first": _replaced_once,
    "replace_last": _replaced_once,
    "truncate": _cut,
    "truncatewords": _cut_words,
    "capitalize": _case,
    "upcase": _case,
    "downcase": _case,
    "newline_to_br": _breaks,
    "split": _parts,
    "base64_encode": _base64,
    "base64_url_safe_encode": _base64,
    "escape": _escaped,
    "escape_once": _escaped_once,
    "escapejs": _escaped_js,
    "url_encode": _url,
}
# Units a character, where it is more than one: what goes through a text in Python, or by a regular expression.
_WORK: Final[Mapping[str, int]] = {
    "squish": 2,
    "strip_newlines": 2,
    "newline_to_br": 2,
    "escape": 2,
    "escape_once": 20,
    "escapejs": 30,
    "url_encode": 30,
    "url_decode": 30,
}
_TEXTS: Final = (
    "append", "escape", "escape_once", "escapejs", "url_encode", "url_decode",
    "capitalize", "downcase", "lstrip", "newline_to_br", "prepend", "remove", "remove_first",
    "remove_last", "replace", "replace_first", "replace_last", "rstrip", "safe", "split", "squish", "strip",
    "strip_newlines", "truncate", "truncatewords", "upcase", "base64_decode", "base64_encode",
    "base64_url_safe_decode", "base64_url_safe_encode",
)  # fmt: skip
_LISTS: Final = (
    "compact", "find", "find_index", "has", "map", "reject", "reverse", "where",
)  # fmt: skip
_NUMBERS: Final = (
    "abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times",
)  # fmt: skip
_LIGHT: Final = (
    "default", "first", "last", "size",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """A filter as templates may use it: guarded, with `least` to `most` arguments after the value."""

    name: str
    guard: Guard
    least: int
    most: int


def filters_of(environment: Environment) -> dict[str, TemplateFilter]:
    """Return the guarded filters, made of an environment's own."""
    plain = {name: _bound(environment, function) for name, function in environment.filters.items()}
    guards: dict[str, Guard] = {
        **{name: _text(plain[name], name, _SIZES.get(name, _same), work=_WORK.get(name, 1)) for name in _TEXTS},
        "strip_html": _text(plain["strip_html"], "strip_html", _stripped_html, work=10, square="<&"),
        **{name: _list(plain[name], name) for name in _LISTS},
        "join": _list(plain["join"], "join", _size_joined),
        "concat": _list(plain["concat"], "concat", _size_concat),
        "sort": _list(plain["sort"], "sort", times=_log2),
        "sort_natural": _list(plain["sort_natural"], "sort_natural", times=_log2),
        "uniq": _list(plain["uniq"], "uniq", times=_squared),
        "sum": _sum(plain["sum"]),
        **{name: _number(plain[name]) for name in _NUMBERS},
        **{name: _light(plain[name]) for name in _LIGHT},
        "slice": _slice(plain["slice"]),
        "date": date_guarded(plain["date"]),
    }
    return {name: TemplateFilter(name, guard, *_arguments(plain[name])) for name, guard in guards.items()}


def _bound(environment: Environment, function: Guard) -> Guard:
    return partial(function, environment=environment) if getattr(function, "with_environment", False) else function


def _arguments(function: Guard) -> tuple[int, int]:
    """Return how many arguments a filter takes at least and at most, besides its value."""
    inner = function.func if isinstance(function, partial) else function
    kinds = [
        parameter.default is inspect.Parameter.empty
        for parameter in inspect.signature(inner).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ][1:]
    return sum(kinds), len(kinds)


def call(found: TemplateFilter, meter: Meter, value: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a filter with what a template gives it; raises TemplateLimit before a result beyond the limits is made."""
    if kwargs and (found.name != "default" or set(kwargs) != {"allow_false"}):
        raise FilterArgumentError(f"{found.name} takes no named arguments", token=None)
    if not found.least <= len(args) <= found.most:
        raise FilterArgumentError(arguments_words(found, len(args)), token=None)
    return found.guard(meter, value, *args, **kwargs)


def arguments_words(found: TemplateFilter, given: int) -> str:
    """Say how many arguments a filter takes."""
    if found.least == found.most:
        takes = {0: "no argument", 1: "1 argument"}.get(found.most, f"{found.most} arguments")
    else:
        takes = f"{found.least} to {found.most} arguments"
    return f"{found.name} takes {takes}, not {given}"
