"""The npm package as a site sees it: its files, its types, and its manners where there is no page."""

import json
import re
import shutil
import tomllib
from pathlib import Path

from smartpush.machine.bootstrap.node import Node
from tests.support.node import MODULES, ROOT

from .installing import esbuild

HERE = Path(__file__).parent
TYPES = ROOT / "devices" / "npm" / "smartpush.d.ts"
SDK = ROOT / "devices" / "static" / "devices" / "sdk"

SitePackage = tuple[Path, Node]


def test_the_tarball_holds_the_module_the_worker_and_their_types_only(site_with_package: SitePackage):
    folder = site_with_package[0] / "node_modules" / "smartpush-web"
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == ["README.md", "package.json", "rare.js", "smartpush.d.ts", "smartpush.js", "sw.d.ts", "sw.js"]


def test_package_and_server_have_one_version(site_with_package: SitePackage):
    packed = json.loads((site_with_package[0] / "node_modules" / "smartpush-web" / "package.json").read_text())
    assert packed["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_right_calls_compile_and_wrong_ones_do_not(site_with_package: SitePackage):
    folder, node = site_with_package
    shutil.copytree(HERE / "types", folder / "types")
    tsc = [node.program, str(MODULES / "typescript" / "bin" / "tsc"), "--project", "types"]
    code, out, err = node.run(tsc, cwd=folder)
    assert code == 0, out + err
    # The same, seen from the other side: without the marks each wrong call is an error of its own.
    wrong = folder / "types" / "wrong.ts"
    text = wrong.read_text()
    wrong.write_text(text.replace("// @ts-expect-error", "//"))
    code, out, err = node.run(tsc, cwd=folder)
    lines = {int(line) for line in re.findall(r"wrong\.ts\((\d+),", out)}
    assert code != 0 and len(lines) == text.count("// @ts-expect-error"), out + err


def test_the_types_know_every_command_event_and_option_of_the_sdk_and_no_others():
    types, commands, core = TYPES.read_text(), (SDK / "commands.js").read_text(), (SDK / "core.js").read_text()
    listed = re.search(r"const COMMANDS = \{(.*?)\n\};", commands, re.DOTALL)[1]
    flat = re.sub(r"afterInit\(.*?\),\n", ",\n", listed)
    names = set(re.findall(r"(?:^|[\s,])([A-Za-z]+)(?=\s*[:,])", flat))
    assert set(re.findall(r"\(command: '(\w+)'", types)) == names
    events = re.sub(r": \[\]", "", re.search(r"handlers = \{(.*?)\};", core)[1])
    declared = re.search(r"export interface Events \{(.*?)\n\}", types, re.DOTALL)[1]
    assert set(re.findall(r"^  (\w+): ", declared, re.MULTILINE)) == set(re.findall(r"\w+", events))
    options = re.search(r"export interface InitOptions \{(.*?)\n\}", types, re.DOTALL)[1]
    page = "".join(path.read_text() for path in SDK.glob("*.js") if path.name != "worker.js")
    used = set(re.findall(r"(?:(?<![\w.])options|state\.options|given)\.(\w+)", page))
    typed = set(re.findall(r"^  (\w+)\??: ", options, re.MULTILINE))
    assert typed == used
    for source in (commands, (SDK / "rare.js").read_text()):  # what init takes, and what it suggests
        table = re.search(r"const OPTIONS = \{(.*?)\n\};", source, re.DOTALL)[1]
        assert set(re.findall(r"(\w+): ", table)) == typed


def test_the_types_know_every_reason_that_the_sdk_gives():
    types = re.search(r"export type StatusReason =(.*?);", TYPES.read_text(), re.DOTALL)[1]
    sources = "".join((SDK / name).read_text() for name in ("push.js", "popups.js"))
    given = set(re.findall(r"pushPicture\('\w+', '(\w+)'", sources)) | set(
        re.findall(r"return (?:supported \? '' : )?'([a-z_]+)'", (SDK / "push.js").read_text())
    )
    assert given <= set(re.findall(r"'(\w+)'", types)), given


def test_a_server_that_renders_may_import_it_and_call_it_without_harm(site_with_package: SitePackage):
    folder, node = site_with_package
    (folder / "render.mjs").write_text(
        "import {smartpush} from 'smartpush-web';\n"
        "smartpush('init', {brand: 'pk_1', host: 'https://push.example'});\n"
        "await new Promise((done) => setTimeout(done));\n"
        "console.log(await smartpush('getStatus').catch((error) => error.code), typeof window);\n"
    )
    code, out, err = node.run([node.program, "render.mjs"], cwd=folder)
    assert (code, out.strip(), err) == (0, "no_page undefined", "")


def test_a_worker_may_import_its_part_before_its_own(site_with_package: SitePackage):
    folder, node = site_with_package
    (folder / "worker.js").write_text("import 'smartpush-web/sw.js';\nself.addEventListener('push', () => {});\n")
    esbuild(node, "worker.js", "--outfile=worker.out.js", "--format=iife", cwd=folder)
    worker = (folder / "worker.out.js").read_text()
    assert worker.index("stopImmediatePropagation") < worker.rindex("addEventListener")
