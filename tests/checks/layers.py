"""`python -m tests.checks.layers`: import-linter's contracts, as `lint-imports` checks them."""

import sys

from importlinter.cli import lint_imports_command

if __name__ == "__main__":
    sys.argv = ["lint-imports"]
    lint_imports_command()
