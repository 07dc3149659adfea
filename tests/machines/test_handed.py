"""What a clean machine is told of this one, and what it is not."""

from pathlib import Path

from tests.machines.handed import (
    Source,
    environment_passed_on,
    host_release,
    paths_pointed_at,
    settings_found,
    sources_for,
    sources_read,
)

STANZAS = """\
# the archive
Types: deb deb-src
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main
  contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xsFNBGTj

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
LINES = """\
deb [arch=amd64 signed-by=/etc/apt/keyrings/tool.asc] https://tool.example/apt stable-tool main # not Debian's
deb-src http://archive.example/debian bookworm main
  deb http://mirror.example/debian bookworm main contrib
# deb http://old.example/debian bookworm main
"""


def written(folder: Path) -> Path:
    (folder / "sources.list.d").mkdir()
    (folder / "sources.list.d" / "debian.sources").write_text(STANZAS)
    (folder / "sources.list").write_text(LINES)
    return folder


def test_archives_are_read_in_both_formats(tmp_path: Path):
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    assert sources_read(written(tmp_path)) == [
        Source("https://tool.example/apt", "stable-tool", ("main",), "/etc/apt/keyrings/tool.asc"),
        Source("http://mirror.example/debian", "bookworm", ("main", "contrib")),
        Source("http://archive.example/debian", "bookworm", ("main", "contrib"), keyring),
        Source("http://archive.example/debian", "bookworm-updates", ("main", "contrib"), keyring),
        Source("http://archive.example/debian-security", "bookworm-security", ("main",)),
    ]
    assert sources_read(tmp_path / "nothing") == []


def test_another_release_comes_from_the_same_archives_and_only_from_debians(tmp_path: Path):
    found = sources_for(release="trixie", host_release="bookworm", sources=sources_read(written(tmp_path)))
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert [one.line() for one in found] == [
        "deb http://mirror.example/debian trixie main",
        f"deb {signed} http://archive.example/debian trixie-updates main",
        "deb http://archive.example/debian-security trixie-security main",
    ]
    assert sources_for(release="trixie", host_release="", sources=sources_read(tmp_path)) == []


def test_only_debian_is_debian():
    assert host_release('ID=debian\nVERSION_CODENAME=bookworm\nNAME="Debian GNU/Linux"\n') == "bookworm"
    assert host_release('ID="debian"\nVERSION_CODENAME="trixie"\n') == "trixie"
    assert host_release("ID=ubuntu\nVERSION_CODENAME=noble\n") == ""


def test_the_way_to_the_registries_is_passed_on_and_nothing_else():
    environment = {
        "https_proxy": "http://proxy.example:3128",
        "NO_PROXY": "localhost",
        "PIP_INDEX_URL": "https://packages.example/simple",
        "npm_config_registry": "https://packages.example/npm",
        "NODE_EXTRA_CA_CERTS": "/etc/ssl/extra.crt",
        "PATH": "/home/ann/bin",
        "DATABASE_URL": "postgres://localhost/mine",
        "SMARTPUSH_ENV": "production",
        "PYTHONPATH": "/home/ann",
    }
    assert sorted(environment_passed_on(environment)) == [
        "NODE_EXTRA_CA_CERTS", "NO_PROXY", "PIP_INDEX_URL", "https_proxy", "npm_config_registry",
    ]  # fmt: skip


def test_settings_of_this_user_are_found_by_their_place_on_the_clean_machine(tmp_path: Path):
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\n")
    (tmp_path / ".npmrc").write_text("fund=false\n")
    found = {place: path for place, path in settings_found(tmp_path).items() if path.is_relative_to(tmp_path)}
    assert found == {
        "/root/.config/pip/pip.conf": tmp_path / ".pip" / "pip.conf",
        "/root/.npmrc": tmp_path / ".npmrc",
    }


def test_files_and_folders_that_settings_name_are_found_and_addresses_are_not(tmp_path: Path):
    wheels, index, certificate = tmp_path / "wheels", tmp_path / "index" / "simple", tmp_path / "ca.crt"
    for folder in (wheels, index):
        folder.mkdir(parents=True)
    certificate.touch()
    texts = [
        f"[global]\nfind-links = {wheels}\nextra-index-url = file://{index} https://packages.example{tmp_path}\n",
        f'cafile="{certificate}"\nnodedir=/nowhere/at/all\n',
        "/",
    ]
    assert paths_pointed_at(texts) == sorted([certificate, index.parent, wheels])
