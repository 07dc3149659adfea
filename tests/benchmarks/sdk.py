"""What a page has to load: the SDK and the service worker as served, compressed as a server does it."""

import gzip
from collections.abc import Iterable

from devices.sdk_files import SDK_FILES, WORKER_FILES, bundle, joined
from smartpush.machine.bootstrap.node import node_ensure
from tests.benchmarks.frame import ROOT, Figure, group

_LIMITS = {"sdk.script_gzip": (SDK_FILES, 12_000), "sdk.worker_gzip": (WORKER_FILES, 5_000)}


@group
def sdk(scale: float) -> Iterable[Figure]:
    """Sizes beside those that esbuild makes of the same sources; `scale` changes nothing here."""
    for name, (files, limit) in _LIMITS.items():
        size = _gzipped(bundle(files))
        peers = {"esbuild": float(_gzipped(_esbuild(files))), "uncompressed": float(len(bundle(files).encode()))}
        yield Figure(name, size, "bytes", f"<= {limit:,}", size <= limit, peers)


def _gzipped(script: str) -> int:
    return len(gzip.compress(script.encode(), 9, mtime=0))


def _esbuild(files: tuple[str, ...]) -> str:
    node = node_ensure(repository=ROOT)
    program = [node.program, str(ROOT / "node_modules" / "esbuild" / "bin" / "esbuild")]
    code, out, err = node.run(
        [*program, "--minify", "--charset=utf8"], cwd=ROOT, stdin=f'(()=>{{"use strict";{joined(files)}}})();'
    )
    if code:
        raise RuntimeError(err)
    return out
