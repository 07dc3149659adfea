"""Liquid's own messages in words for people who write messages."""

import re

from smartpush.common.personalisation.limits import LOOPS_WORDS

INNER_TAGS = frozenset({"else", "elsif", "when"})


def plain_words(raw: str) -> str:
    """Return a sentence for what the library says."""
    tag = re.search(r"unexpected tag '(\w+)'", raw)
    if tag:
        name = tag[1]
        if name in INNER_TAGS or name.startswith("end"):
            return f"{{% {name} %}} has nothing that it belongs to."
        return f"There is no tag called {name} here."
    if "found end of file" in raw and "}}" in raw:
        return "{{ is not closed: add }}."
    if "found end of file" in raw and "%}" in raw:
        return "{% is not closed: add %}."
    if "loop iteration limit" in raw:
        return LOOPS_WORDS
    return f"This is not understood: {raw}."
