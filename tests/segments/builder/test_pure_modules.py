"""The builder's modules without a page, run by Node's own test runner."""

from pathlib import Path

import pytest

from tests.support.node import clone_node

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_module_does_what_its_own_tests_say(file: Path):
    node = clone_node()
    code, out, err = node.run([node.program, "--test", str(file)], cwd=ROOT)
    assert code == 0, out + err
    assert "# pass 0" not in out, out
