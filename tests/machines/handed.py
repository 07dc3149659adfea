"""What the clean machine is told of this one: which registries to use, and the way to them."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PASSED_ON = re.compile(
    r"(https?|ftp|all|no)_proxy|pip_\w+|npm_config_\w+|ssl_cert_(file|dir)|requests_ca_bundle|curl_ca_bundle"
    r"|node_extra_ca_certs|git_ssl_cainfo",
    re.IGNORECASE,
)
# Where pip and npm keep what an administrator or this user has set, by its place in the clean machine.
SETTINGS = {
    "/etc/pip.conf": ("/etc/pip.conf",),
    "/root/.config/pip/pip.conf": ("~/.config/pip/pip.conf", "~/.pip/pip.conf"),
    "/root/.npmrc": ("~/.npmrc",),
    "/etc/npmrc": ("/etc/npmrc", "/usr/etc/npmrc"),
}
ADDED_CERTIFICATES = Path("/usr/local/share/ca-certificates")
PATH_IN_A_SETTING = re.compile(r"(file://|(?<![\w:/.]))(/[^\s,;'\"]+)")


@dataclass(frozen=True)
class Source:
    """One archive of Debian packages, for one suite."""

    address: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def line(self) -> str:
        """Return the entry as sources.list has it."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.address} {self.suite} {' '.join(self.components)}"


def environment_passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say how to reach a registry: proxies, certificates, pip's and npm's own."""
    return {name: value for name, value in environment.items() if PASSED_ON.fullmatch(name)}


def sources_read(folder: Path) -> list[Source]:
    """Return the binary archives that `folder` (/etc/apt) lists, in both of apt's formats."""
    found: list[Source] = []
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            found += [one for line in path.read_text().splitlines() for one in _of_line(line)]
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        found += [one for stanza in re.split(r"\n\s*\n", path.read_text()) for one in _of_stanza(stanza)]
    return found


def _of_line(line: str) -> Iterator[Source]:
    match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
    if match:
        options = dict(one.split("=", 1) for one in shlex.split(match[1] or "") if "=" in one)
        yield Source(match[2], match[3], tuple(match[4].split()), options.get("signed-by", ""))


def _of_stanza(stanza: str) -> Iterator[Source]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = value.strip()
    if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
        return
    # A key written out in the stanza itself stays behind: the clean machine has Debian's own keys.
    key = fields.get("signed-by", "")
    for address in fields.get("uris", "").split():
        for suite in fields.get("suites", "").split():
            yield Source(address, suite, tuple(fields.get("components", "").split()), key if key[:1] == "/" else "")


def sources_for(*, release: str, host_release: str, sources: Iterable[Source]) -> list[Source]:
    """Return this machine's archives of Debian with `release` in the place of its own release."""
    suites = re.compile(rf"({re.escape(host_release)}|stable)(-(?:security|updates))?")
    found: dict[str, Source] = {}
    for one in sources:
        if match := suites.fullmatch(one.suite):
            suite = release + (match[2] or "")
            found.setdefault(suite, Source(one.address, suite, ("main",), one.signed_by))
    return list(found.values())


def host_release(os_release: str) -> str:
    """Return the code name in the text of /etc/os-release, '' where it is no Debian."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    return fields.get("VERSION_CODENAME", "").strip('"') if fields.get("ID", "").strip('"') == "debian" else ""


def apt_acquire() -> str:
    """Return how this machine's apt reaches its archives, in apt's own words."""
    program = shutil.which("apt-config")
    if program is None:
        return ""
    dumped = subprocess.run([program, "dump", "--empty=no", "Acquire"], capture_output=True, text=True, check=True)
    return dumped.stdout


def settings_found(home: Path) -> dict[str, Path]:
    """Return the settings of pip and npm on this machine, by their place in the clean one."""
    found: dict[str, Path] = {}
    for place, candidates in SETTINGS.items():
        for candidate in candidates:
            path = Path(candidate.replace("~", str(home), 1))
            if path.is_file():
                found.setdefault(place, path)
    return found


def paths_pointed_at(texts: Iterable[str]) -> list[Path]:
    """Return the files and folders that settings name and this machine has: certificates, folders of packages."""
    found = set()
    for address, name in (match for text in texts for match in PATH_IN_A_SETTING.findall(text)):
        path = Path(name)
        if path != Path("/") and path.exists():
            # The pages of a package index link to files beside its folder.
            found.add(path.parent if address and path.is_dir() and len(path.parts) > 3 else path)
    return sorted(found)


def texts_of_settings(*, environment: Mapping[str, str], settings: Mapping[str, Path]) -> list[str]:
    """Return everything in which a path may stand."""
    return [*environment.values(), *(path.read_text(errors="replace") for path in settings.values()), apt_acquire()]


def home_folder() -> Path:
    """Return this user's home."""
    return Path(os.environ.get("HOME") or "/root")
