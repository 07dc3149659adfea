"""Makes a script and the style sheets in it smaller. Run as a program: source on stdin, result on stdout.

The minifier is a Go library. Loaded into our own processes, its threads would live on beside every job worker that is
forked from them; so `devices.sdk_files` runs this file (docs/adr/0006).
"""

import re
import sys

import minify

# The one rule for the sources: a style sheet is a template without `${}` in a constant whose name ends in STYLE.
_STYLE = re.compile(r"(STYLE = `)([^`$]*)`;")


def minified(source: str) -> str:
    """Return the same program in fewer bytes; minify.MinifyError where it is no JavaScript."""
    styled = _STYLE.sub(lambda found: f"{found[1]}{minify.string('text/css', found[2])}`;", source)
    return str(minify.string("application/javascript", styled))


if __name__ == "__main__":
    sys.stdout.write(minified(sys.stdin.read()))
