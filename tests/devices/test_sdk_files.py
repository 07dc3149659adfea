"""The scripts that sites load: small, and the same programs as their sources."""

import gzip
import subprocess
import sys

import pytest

from devices import sdk_files
from devices.sdk_files import RARE_FILES, SDK_FILES, WORKER_FILES, bundle


@pytest.mark.parametrize(("names", "limit"), [(SDK_FILES, 12_000), (WORKER_FILES, 5_000), (RARE_FILES, 3_500)])
def test_each_script_keeps_within_the_size_that_is_promised(names: tuple[str, ...], limit: int):
    assert len(gzip.compress(bundle(names).encode(), 9, mtime=0)) <= limit


def test_scripts_lose_comments_long_names_and_idle_space_and_stay_strict():
    served = bundle(SDK_FILES)
    assert served.startswith('(()=>{"use strict";')
    assert "// " not in served and "considerOffer" not in served and "all: initial" not in served
    assert "all:initial!important" in served and "requestPushPermission" in served


def test_a_source_that_is_no_javascript_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "broken.js").write_text("const = 1;")
    monkeypatch.setattr(sdk_files, "SDK_SOURCE", tmp_path)
    with pytest.raises(ValueError, match=r"broken\.js"):
        bundle(("broken.js",))


def test_the_minifiers_library_is_never_loaded_beside_our_own_code():
    code = "import sys; from devices.sdk_files import *; bundle(WORKER_FILES); print('minify' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert seen.stdout.strip() == "False"
