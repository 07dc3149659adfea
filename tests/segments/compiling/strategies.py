"""Conditions of every field with every operator it has, and trees of them."""

import itertools
from datetime import timedelta

from hypothesis import strategies as st

from tests.segments.compiling.world import BROWSERS, EVENTS, NAMES, TEXTS
from tests.segments.population import MARKERS, PLATFORMS, STATUSES

_FILLED = [text for text in TEXTS if text.strip()]
_NUMBERS = [0, 0.1, 0.3, 0.30000000000000004, 20, 20.5, -1, 10**15, -1e-300]
_VERSIONS = ["2.9", "2.10", "2.10.0", "2.10.1", "10", "0", "3.4"]
_KNOWN = [("is_set", None), ("is_not_set", None)]
_PERIODS = [
    (1, "minute"),
    (36, "hour"),
    (1, "day"),
    (14, "day"),
    (1, "week"),
    (1, "month"),
    (3, "month"),
    (120, "month"),
]


def _product(operators, values):
    return list(itertools.product(operators, values))


def _equal(values):
    lists = [values[:1], values[1:4], values]
    return _product(["is", "is_not"], values) + _product(["is_any_of", "is_none_of"], lists)


def texts(values):
    """What can be asked of text."""
    return [*_equal(values), *_product(["contains", "not_contains", "starts_with", "ends_with"], values), *_KNOWN]


def numbers():
    """What can be asked of numbers."""
    simple = ["is", "is_not", "more_than", "at_least", "less_than", "at_most"]
    return [*_product(simple, _NUMBERS), *_product(["between"], [[0, 20], [0.1, 0.1], [-1, 10**15]]), *_KNOWN]


def periods(now):
    """(operator, value) of every date operator that a period can be given by."""
    days = [str((now + timedelta(days=n)).date()) for n in (-30, -1, 0, 1, 7)]
    found = []
    for zone in ("brand", "user"):
        back = [{"count": count, "unit": unit, "zone": zone} for count, unit in _PERIODS]
        found += _product(["in_the_last", "before_the_last", "in_the_next"], back)
        found += _product(["in_current"], [{"unit": unit, "zone": zone} for unit in ("day", "week", "month")])
        found += _product(["on", "before", "after"], [{"date": day, "zone": zone} for day in days])
        found += _product(["between_days"], [{"from": days[0], "to": day, "zone": zone} for day in (days[0], days[3])])
    return found


def dates(now):
    """What can be asked of dates."""
    given = periods(now)
    return [*given, *[("not_in_the_last", value) for name, value in given if name == "in_the_last"], *_KNOWN]


COUNTS = [*_product(["at_least", "less_than", "more_than", "at_most"], [1, 2, 5]), ("happened", None), ("never", None)]


def _versions():
    simple = ["is", "is_not", "at_least", "more_than", "at_most", "less_than"]
    return [*_product(simple, _VERSIONS), *_KNOWN]


def _markers():
    some = [*MARKERS, "news", "NOBODY"]
    lists = [some[:1], some[:3], some[2:]]
    return [*_product(["has", "has_not"], some), *_product(["has_any", "has_all", "has_none"], lists)]


def _languages():
    return [*_equal(["en", "en-GB", "EN", "pt", "de", "no", "nb-NO", "zh-Hant", "zh-TW"]), *_KNOWN]


_FLAGS = [("is", True), ("is", False)]


def plain(world):
    """(field, arguments) to what can be asked of it, but for events."""
    now = world.now
    segments = [segment.pk for segment in (*world.imported, *world.dynamic)]
    apps = [str(app.pk) for app in world.apps]
    choices = [("browser", {"browser": "chrome"}), ("os", {"os": "ios"}), ("app", {"app": world.apps[0].pk})]
    of = dict(choices)
    found = [
        ("push_status_last_session", {}, _equal([*STATUSES, "ask_visited", "ask_never_visited"])),
        ("push_status_any_device", {}, _equal(STATUSES)),
        ("push_enabled", {}, _FLAGS),
        ("platform", {}, _equal(PLATFORMS)),
        ("browser", {}, [*_equal(BROWSERS[1:]), *_KNOWN]),
        ("os", {}, [*_equal(["android", "ios", "windows"]), *_KNOWN]),
        ("form_factor", {}, [*_equal(["desktop", "mobile"]), *_KNOWN]),
        ("app", {}, _equal(apps)),
        *((f"{name}_version", given, _versions()) for name, arguments in of.items() for given in ({}, arguments)),
        ("device_language", {}, _languages()),
        ("language", {}, _languages()),
        ("country", {}, [*_equal(["DE", "GR", "FR"]), *_KNOWN]),
        ("time_zone", {}, texts(["Europe/Berlin", "Europe", "Mars/Olympus"])),
        ("external_id", {}, texts(_FILLED)),
        ("target_devices", {}, _equal(["all", "web", "native"])),
        *((name, {}, _FLAGS) for name in ("platform_opt_out", "user_opt_out", "never_contact", "is_anonymous")),
        *((f"{name}_markers", {}, _markers()) for name in ("js", "external", "backoffice")),
        *((name, {}, dates(now)) for name in ("first_seen", "last_seen")),
        ("segment", {}, _product(["in", "not_in"], segments)),
    ]
    found += [("property", {"name": name, "type": kind}, asked) for name in NAMES for kind, asked in kinds(now).items()]
    return found


def kinds(now):
    """What can be asked of a property, by its type."""
    return {"text": texts(_FILLED), "number": numbers(), "boolean": [*_FLAGS, *_KNOWN], "date": dates(now)}


def condition(field, operator, value, params=None):
    """A condition in JSON."""
    found = {"field": field, "operator": operator}
    if value is not None:
        found["value"] = value
    return {**found, "params": params} if params else found


def tests_of_properties(now):
    """A condition on a property of an event."""
    asked = [
        {"name": name, "type": kind, "operator": operator, "value": value}
        for name in NAMES
        for kind, operators in kinds(now).items()
        for operator, value in operators
    ]
    return _any_of(asked)


def _any_of(asked):
    """As sampled_from, whose account of itself grows with what it picks from."""
    return st.integers(0, len(asked) - 1).map(lambda place: asked[place])


def events(now):
    """A condition on events: how often, or when first or last."""
    within = _any_of([{"operator": operator, "value": value} for operator, value in periods(now)])
    where = st.lists(tests_of_properties(now), max_size=2)
    given = st.fixed_dictionaries({"name": st.sampled_from(EVENTS), "where": where}, optional={"within": within})
    once = st.fixed_dictionaries({"name": st.sampled_from(EVENTS), "where": where})
    often = st.builds(lambda pair, params: condition("event", *pair, params), st.sampled_from(COUNTS), given)
    when = st.builds(
        lambda field, pair, params: condition(field, *pair, params),
        st.sampled_from(["event_first", "event_last"]),
        _any_of(dates(now)),
        once,
    )
    return st.one_of(often, when)


def trees(world):
    """Rules of a few conditions in groups."""
    asked = [
        _any_of([condition(field, *pair, params) for pair in operators]) for field, params, operators in plain(world)
    ]
    return st.recursive(
        st.one_of(st.one_of(asked), events(world.now)),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=8,
    )
