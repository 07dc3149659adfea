"""Node and one npm package, for the benchmark only."""

from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.node import node_ensure
from tests.benchmarks.frame import ROOT


def node_with(package: str, *, folder: Path) -> tuple[str, Path] | None:
    """Install an npm package under `folder`; return (node, node_modules), or None and say why not."""
    modules = folder / "node_modules"
    try:
        node = node_ensure(repository=ROOT)
        if not (modules / package.rpartition("@")[0]).is_dir():
            install = [*node.npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), package]
            code, out, err = node.run(install, cwd=folder)
            if code:
                raise SetupStopped((out + err).strip()[-500:])
    except (OSError, SetupStopped) as error:
        print(f"without the peer {package}: {error}", flush=True)
        return None
    return node.program, modules
