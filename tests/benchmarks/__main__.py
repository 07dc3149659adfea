"""`python -m tests.benchmarks`: ONLY=delivery,api runs some groups, SCALE=0.1 shrinks the data."""

import os

from tests.benchmarks import frame


def main() -> None:
    """Measure, print the table, write bench.json."""
    only = [name.strip() for name in os.environ.get("ONLY", "").split(",") if name.strip()]
    scale = _scale(os.environ.get("SCALE", "1"))
    machine = frame.machine()
    figures = frame.run(only=only, scale=scale)
    frame.write(figures, machine=machine, scale=scale, path=frame.RESULT_FILE)
    print()
    print(frame.table(figures))
    print(f"\nwritten to {frame.RESULT_FILE.name}")


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 100:
        raise SystemExit(f"SCALE must be a number above 0 and at most 100, not {text!r}")
    return scale


if __name__ == "__main__":
    main()
