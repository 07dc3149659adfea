"""`python -m smartpush.machine.embedded start|stop|status|url`: the embedded server by hand."""

import argparse
import os
import sys
from pathlib import Path

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.errors import EmbeddedServerError
from smartpush.machine.embedded.layout import Layout, default_layout, layout_at


def _layout(data_dir: str | None) -> Layout:
    return layout_at(data_root=Path(data_dir)) if data_dir else default_layout()


def main() -> int:
    """Run one command; 0 when it did what was asked, 3 for `status` of a stopped server, 1 on a refusal."""
    parser = argparse.ArgumentParser(prog="python -m smartpush.machine.embedded", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "url"])
    parser.add_argument("--data-dir", default=os.environ.get("SMARTPUSH_DATA_DIR"))
    arguments = parser.parse_args()
    try:
        layout = _layout(arguments.data_dir)
        if arguments.command == "stop":
            print("stopped" if launcher.stop(layout=layout) else "was not running")  # noqa: T201
            return 0
        if arguments.command == "url":
            launcher.ensure_running(layout=layout)
            print(launcher.connection_url(layout=layout))  # noqa: T201
            return 0
        if arguments.command == "start":
            launcher.ensure_running(layout=layout)
        found = launcher.status(layout=layout)
        state = f"running, process {found.pid}" if found.running else "stopped"
        print(f"{state}; account {found.account}; data {found.data_root}; socket {found.socket_folder}")  # noqa: T201
    except EmbeddedServerError as error:
        print(f"embedded PostgreSQL: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0 if found.running else 3


if __name__ == "__main__":
    sys.exit(main())
