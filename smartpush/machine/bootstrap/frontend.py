"""What is made with npm: packages from the lock file, and the bundles that package.json lists (docs/adr/0006).

A bundle has a `source`, an `out` under var/frontend/, the purposes it is `for`, the files and folders it is made
`from`, and `options` of esbuild. A source in JavaScript, TypeScript or CSS is bundled by esbuild; a Python module
prints the source that is; anything else is copied.
"""

import gzip
import hashlib
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.node import Node, node_ensure
from smartpush.machine.bootstrap.venv import venv_python

OUT = Path("var") / "frontend"
STAMPS = OUT / "stamps.json"
PACKAGE = OUT / "smartpush-web"
# What runs in production is under `dependencies`; only these purposes need `devDependencies` too.
WITH_DEVELOPMENT = ("test", "bench")
BUNDLED = {".js", ".mjs", ".jsx", ".ts", ".tsx", ".css"}
NETWORK_SIGNS = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "network")


@dataclass(frozen=True)
class Bundle:
    """One result of the build, as package.json names it."""

    source: str
    out: str
    purposes: tuple[str, ...]
    made_from: tuple[str, ...]
    options: tuple[str, ...]


def frontend_ensure(*, repository: Path, purpose: str) -> list[str]:
    """Build the purpose's bundles that have changed; returns their names. Needs no Node when nothing has."""
    wanted = [bundle for bundle in bundles(repository=repository) if purpose in bundle.purposes]
    if not wanted:
        return []
    node = packages_ensure(repository=repository, development=purpose in WITH_DEVELOPMENT)
    stamps = _stamps(repository)
    built = []
    for bundle in wanted:
        key = _key(bundle, repository=repository)
        if stamps.get(bundle.out) == key and (repository / OUT / bundle.out).is_file():
            continue
        node = node or node_ensure(repository=repository)
        _build(bundle, repository=repository, node=node)
        stamps[bundle.out] = key
        built.append(bundle.out)
        if bundle.out.endswith(".js"):
            small = len(gzip.compress((repository / OUT / bundle.out).read_bytes(), mtime=0))
            sys.stdout.write(f"Built {bundle.out}: {small:,} bytes gzipped\n")
    if built:
        (repository / STAMPS).write_text(json.dumps(stamps, indent=1))
    return built


def bundles(*, repository: Path) -> list[Bundle]:
    """Return what package.json lists under `bundles`."""
    listed = json.loads((repository / "package.json").read_text())["bundles"]
    return [
        Bundle(
            source=one["source"],
            out=one["out"],
            purposes=tuple(one["for"]),
            made_from=(one["source"], *one.get("from", [])),
            options=tuple(one.get("options", [])),
        )
        for one in listed
    ]


def packages_ensure(*, repository: Path, development: bool) -> Node | None:
    """Bring node_modules to what package-lock.json says; returns the Node that did it, None when nothing was to do."""
    stamp = repository / "node_modules" / "smartpush-stamp"
    digest = hashlib.sha256((repository / "package-lock.json").read_bytes())
    digest.update(f"{sys.platform} {platform.machine()}".encode())
    alone, whole = f"{digest.hexdigest()} dependencies\n", f"{digest.hexdigest()} all\n"
    if stamp.is_file() and stamp.read_text() in ({whole} if development else {alone, whole}):
        return None
    node = node_ensure(repository=repository)
    sys.stdout.write("Installing the npm packages of package-lock.json into node_modules\n")
    sys.stdout.flush()
    install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
    cache = ["--cache", str(repository / "var" / "npm-cache")]
    only = [] if development else ["--omit=dev"]
    code, out, err = node.run([*node.npm, *install, *patience, *cache, *only], cwd=repository)
    if code != 0:
        text = f"{out}\n{err}"
        advice = "Run make again once that is put right."
        if any(sign in text for sign in NETWORK_SIGNS):
            reach = "The npm registry could not be reached: check the network and npm's `registry` setting"
            advice = f"{reach}, then run make again."
        raise SetupStopped(f"{text.strip()[-2000:]}\n\nThe npm packages could not be installed. {advice}")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(whole if development else alone)
    return node


def package_pack(*, repository: Path, into: Path) -> Path:
    """Make the tarball of the npm package from what is built; returns its path."""
    into.mkdir(parents=True, exist_ok=True)
    node = node_ensure(repository=repository)
    cache = ["--cache", str(repository / "var" / "npm-cache")]
    options = ["--json", "--ignore-scripts", "--offline", "--pack-destination", str(into), *cache]
    code, out, err = node.run([*node.npm, "pack", *options], cwd=repository / PACKAGE)
    if code != 0:
        raise SetupStopped(f"{err.strip()[-2000:]}\n\nThe npm package could not be packed.")
    return into / json.loads(out)[0]["filename"]


def _stamps(repository: Path) -> dict[str, str]:
    path = repository / STAMPS
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _key(bundle: Bundle, *, repository: Path) -> str:
    digest = hashlib.sha256(json.dumps(asdict(bundle)).encode())
    digest.update((repository / "package-lock.json").read_bytes())
    for path in _files(bundle, repository=repository):
        digest.update(f"{path.relative_to(repository)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(bundle: Bundle, *, repository: Path) -> Iterator[Path]:
    for name in bundle.made_from:
        path = repository / name
        if path.is_dir():
            yield from (one for one in sorted(path.rglob("*")) if one.is_file() and "__pycache__" not in one.parts)
        else:
            yield path


def _build(bundle: Bundle, *, repository: Path, node: Node) -> None:
    source, out = repository / bundle.source, repository / OUT / bundle.out
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f"draft-{out.name}")
    if source.suffix == ".py":
        named = [f"--sourcefile={bundle.out}", *bundle.options]
        _esbuild(named, repository=repository, node=node, draft=draft, stdin=_printed(bundle, repository=repository))
    elif source.suffix in BUNDLED and not source.name.endswith(".d.ts"):
        _esbuild([bundle.source, *bundle.options], repository=repository, node=node, draft=draft)
    else:
        shutil.copyfile(source, draft)
    draft.replace(out)


def _printed(bundle: Bundle, *, repository: Path) -> str:
    module = bundle.source.removesuffix(".py").replace("/", ".")
    finished = subprocess.run(  # noqa: S603 - our own interpreter and module
        [str(venv_python(repository=repository)), "-m", module],
        cwd=repository,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if finished.returncode != 0:
        raise SetupStopped(f"{finished.stderr.strip()[-2000:]}\n\n{bundle.source} could not be run.")
    return finished.stdout


def _esbuild(arguments: list[str], *, repository: Path, node: Node, draft: Path, stdin: str = "") -> None:
    # Install scripts do not run, so that this is esbuild's own starter and not yet the program itself.
    program = [node.program, str(repository / "node_modules" / "esbuild" / "bin" / "esbuild")]
    options = ["--bundle", "--log-level=warning", "--charset=utf8", f"--outfile={draft}"]
    code, out, err = node.run([*program, *arguments, *options], cwd=repository, stdin=stdin)
    if code != 0:
        raise SetupStopped(
            f"{(out + err).strip()[-2000:]}\n\nesbuild could not make {draft.name.removeprefix('draft-')}."
        )
