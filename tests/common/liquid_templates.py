"""Templates made at random: every tag and filter, hostile arguments, values of every kind. Run as a program, it fills
them in within little memory and time, and says what the costliest took.
"""

import json
import random
import resource
import sys
import time
from typing import Any

from smartpush.common.personalisation import FILTERS, CannotRender, Meter, check_template, render
from smartpush.common.personalisation.rendering import _LIQUID

VALUES = {
    "user": {
        "name": "Ann",
        "bio": '<p>It\'s "fine" & good</p>\n' * 1_200,
        "level": 3,
        "big": 2**62,
        "huge": 10**300,
        "share": 0.25,
        "tags": ["b", "a", "B", "a", None, 7],
        "items": [{"a": n, "b": "x" * 50, "c": [1, [2, [3]]]} for n in range(150)],
        "on": True,
        "born": "1990-02-30",
        "emoji": "Äßİŉΐΰﬃ🎈" * 300,
    },
    "event": {"amount": 20, "cart": {"lines": [{"sku": "1", "price": "9.5"}] * 40}},
    "brand": {"name": "Acme"},
}
_ATOMS = [
    "user.name", "user.bio", "user.level", "user.big", "user.huge", "user.share", "user.tags", "user.items",
    "user.on", "user.born", "user.emoji", "user.nothing", "event.cart.lines", "event.cart", "a", "b", "i",
    "0", "1", "-1", "3.5", "9223372036854775807", "-9223372036854775808", "999999999999", "'a'", "''", "' '", "','",
    "'aaaaaaaaaaaaaaaaaaaa'", "'<!--<'", "'1e308'", "'9e999'", "'%c%0999999999d'", "'%Y'", "'now'", "nil", "true",
    "(1..9)", "(1..200)", "(1..9999999999)", "(user.level..user.big)", "empty", "blank", "'name'", "'b'", "'c'",
]  # fmt: skip
_COMPARED = ["==", "!=", "<", ">=", "contains"]


def template_make(rng: random.Random, *, depth: int = 0, length: int = 950) -> str:
    """Return a template of at most `length` characters."""
    text = ""
    while rng.random() < 0.85:
        piece = _piece(rng, depth, length - len(text))
        if len(text) + len(piece) > length:
            break
        text += piece
    return text


def _piece(rng: random.Random, depth: int, left: int) -> str:
    kind = rng.randrange(9 if depth < 4 else 4)
    inner = lambda: template_make(rng, depth=depth + 1, length=max(left - 60, 0))  # noqa: E731
    if kind == 0:
        return rng.choice(["text ", "é🎈", "\n", "{% break %}", "{% continue %}", "{% comment %}c{% endcomment %}"])
    if kind == 1:
        return f"{{{{ {_chain(rng)} }}}}"
    if kind in (2, 3):
        return f"{{% assign {rng.choice('ab')} = {_chain(rng)} %}}"
    if kind == 4:
        return f"{{% if {_condition(rng)} %}}{inner()}{{% elsif {_condition(rng)} %}}{inner()}{{% endif %}}"
    if kind == 5:
        return f"{{% case {_atom(rng)} %}}{{% when {_atom(rng)}, {_atom(rng)} %}}{inner()}{{% else %}}x{{% endcase %}}"
    if kind == 6:
        return f"{{% capture {rng.choice('ab')} %}}{inner()}{{% endcapture %}}"
    if kind == 7:
        return f"{{% unless {_condition(rng)} %}}{inner()}{{% endunless %}}"
    part = rng.choice(["", " reversed", " limit:3", " offset:2", f" limit:{_atom(rng)} offset:{_atom(rng)}"])
    return f"{{% for i in {_atom(rng)}{part} %}}{inner()}{{% else %}}none{{% endfor %}}"


def _atom(rng: random.Random) -> str:
    return rng.choice(_ATOMS)


def _condition(rng: random.Random) -> str:
    parts = [_atom(rng)]
    for _ in range(rng.randrange(3)):
        parts += [rng.choice([*_COMPARED, "and", "or"]), _atom(rng)]
    return " ".join(parts)


def _chain(rng: random.Random) -> str:
    found = _atom(rng)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 8])):
        known = _LIQUID.guarded[rng.choice(FILTERS)]
        count = rng.randint(known.least, known.most) if rng.random() < 0.95 else rng.randrange(4)
        found += f" | {known.name}" + (": " + ", ".join(_atom(rng) for _ in range(count)) if count else "")
        if rng.random() < 0.3:
            found += f" | {known.name}" + (": " + ", ".join(_atom(rng) for _ in range(count)) if count else "")
    return found


def main(seed: int, count: int) -> None:
    """Check and fill in `count` templates; print what was the most of each as JSON."""
    rng = random.Random(seed)
    most: dict[str, Any] = dict.fromkeys(("spent", "visits", "render_ms", "check_ms", "rendered", "over"), 0)
    for _ in range(count):
        text = template_make(rng)
        began = time.process_time()
        check_template(text)
        checked = time.process_time()
        meter = Meter()
        try:
            render(text, VALUES, meter=meter)
            most["rendered"] += 1
        except CannotRender as problem:
            most["over"] += problem.code == "template_limit"
        took = (time.process_time() - checked) * 1000
        if took > most["render_ms"]:
            most["render_ms"], most["costliest"] = took, text
        most["check_ms"] = max(most["check_ms"], (checked - began) * 1000)
        most["spent"] = max(most["spent"], meter.spent)
        most["visits"] = max(most["visits"], meter.visits)
    most["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    json.dump(most, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
