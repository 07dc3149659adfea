"""The first process of a clean machine: runs its commands one after the other, each within its time.

Handed to the machine's own Python as text, so that it imports nothing of ours. Its argument is JSON:
{"steps": [{"name", "command", "seconds", "environment"}], "folder", "results"}.
"""

import json
import os
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 20.0
POLL_SECONDS = 0.1


def main() -> None:
    told = json.loads(sys.argv[1])
    results = []
    for step in told["steps"]:
        print(f"\n=== {step['name']}: {step['command']}", flush=True)
        began = time.monotonic()
        code = run(step["command"], folder=told["folder"], environment=step["environment"], seconds=step["seconds"])
        results.append({"name": step["name"], "code": code, "seconds": round(time.monotonic() - began)})
        with open(told["results"], "w") as file:  # noqa: PTH123 - nothing but builtins at hand is needed here
            json.dump(results, file)
        if code != 0 and step.get("needed"):
            break


def run(command: str, *, folder: str, environment: dict[str, str], seconds: float) -> int:
    """Run a command to its end, burying every orphan meanwhile; returns its exit code, 124 when its time was up."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        code = bury(process.pid)
        if code is not None:
            return code
        time.sleep(POLL_SECONDS)
    print(f"\n=== stopped: not done within {seconds:.0f} s", flush=True)
    for number in (signal.SIGTERM, signal.SIGKILL):
        # Everybody but this process: nothing else runs on this machine.
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and bury(process.pid) is None:
            time.sleep(POLL_SECONDS)
    return 124


def bury(wanted: int) -> "int | None":
    """Wait for whoever has ended, as the first process of a machine must; returns the exit code of `wanted`."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == wanted:
            code = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
