"""Strategies for values that callers send, and the places of a body where they go."""

from hypothesis import strategies as st

TEXT = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "\x00",
        "a\x00b",
        "\ud800",
        "\u2028",
        "null",
        "' OR 1=1 --",
        "{{ 7*7 }}",
        "🎉" * 30,
        "x" * 5000,
        "Europe/Athens",
    ]
)

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0])
    | st.floats(allow_nan=False)
    | TEXT
)

ANYTHING = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)

MOMENTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23", "2026-02-30T00:00:00Z", "1e9", "now"]


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def broken(value, path, replacement):
    if not path:
        return replacement
    copy = dict(value) if isinstance(value, dict) else list(value)
    if replacement is places and isinstance(copy, dict) and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = broken(value[path[0]], path[1:], replacement)
    return copy
