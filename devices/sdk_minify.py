"""Makes a script and the style sheets in it smaller. Run as a program: source on stdin, result on stdout.

The minifier is a Go library. Loaded into our own processes, its threads would live on beside every job worker that is
forked from them; so `devices.sdk_files` runs this file (docs/adr/0006).
"""

import re
import sys
from math import prod

import minify

# Two rules for the sources. A style sheet is a template without `${}` in a constant whose name ends in STYLE.
_STYLE = re.compile(r"(STYLE = `)([^`$]*)`;")
# A constant that is a whole number, or a product of some, has a line to itself and a capital name that no text holds.
# The minifier keeps each such name; the number in its place saves a hundred bytes of the SDK.
_NUMBER = re.compile(r"^const ([A-Z][A-Z_]+) = (\d+(?: \* \d+)*);\n", re.MULTILINE)


def minified(source: str) -> str:
    """Return the same program in fewer bytes; minify.MinifyError where it is no JavaScript."""
    styled = _STYLE.sub(lambda found: f"{found[1]}{minify.string('text/css', found[2])}`;", source)
    numbers = {name: str(prod(map(int, value.split(" * ")))) for name, value in _NUMBER.findall(styled)}
    plain = re.sub(r"\b[A-Z_]+\b", lambda found: numbers.get(found[0], found[0]), _NUMBER.sub("", styled))
    return str(minify.string("application/javascript", plain))


if __name__ == "__main__":
    sys.stdout.write(minified(sys.stdin.read()))
