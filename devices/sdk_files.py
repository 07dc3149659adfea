"""Which source files make the web SDK and the service worker, and how they become one small script each."""

import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

SDK_SOURCE: Final = Path(__file__).parent / "static" / "devices" / "sdk"

# Order matters: a file may use at load time only what stands before it.
# How the script finds the file of what is rare; the npm package has a loader of its own in its place.
LOADER: Final = "loading.js"
SDK_FILES: Final = (
    "protocol.js",
    "store.js",
    LOADER,
    "core.js",
    "device.js",
    "push.js",
    "session.js",
    "queue.js",
    "popups.js",
    "simple.js",
    "install.js",
    "preferences.js",
    "consent.js",
    "commands.js",
)
WORKER_FILES: Final = ("protocol.js", "store.js", "worker.js")
# A module that a page loads only when something is wrong or rare (docs/adr/0019).
RARE_FILES: Final = ("rare.js",)

_MINIFIER: Final = Path(__file__).with_name("sdk_minify.py")
_PATIENCE_SECONDS: Final = 60
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
_EXPORTED = re.compile(r"^export ", re.MULTILINE)


def joined(names: tuple[str, ...]) -> str:
    """The named source files one after the other, as people wrote them."""
    return "\n".join((SDK_SOURCE / name).read_text(encoding="utf-8") for name in names)


def _module(source: str) -> str:
    """The same module with all but its exports inside a function, where the minifier shortens names."""
    exported = ",".join(_EXPORT.findall(source))
    return f"export const {{{exported}}} = (() => {{{_EXPORTED.sub('', source)}; return {{{exported}}};}})();\n"


@lru_cache(maxsize=4)
def bundle(names: tuple[str, ...]) -> str:
    """The named source files as one strict-mode script without comments and with short names; made once a process.

    What is rare stays a module.
    """
    source = joined(names)
    source = _module(source) if names == RARE_FILES else f'(()=>{{"use strict";{source}}})();\n'
    finished = subprocess.run(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-X", "utf8", str(_MINIFIER)],
        input=source,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=_PATIENCE_SECONDS,
    )
    if finished.returncode != 0:
        raise ValueError(f"the scripts {', '.join(names)} cannot be made smaller: {finished.stderr.strip()[-500:]}")
    return finished.stdout
