"""Lengths of time as marketers type them: a number and a unit."""

UNITS = {"minutes": 60, "hours": 3600, "days": 86_400}  # seconds
UNIT_CHOICES = [(unit, unit) for unit in UNITS]


def parts(seconds: int) -> tuple[int, str]:
    """Seconds as a number of the largest whole unit."""
    for unit in ("days", "hours", "minutes"):
        if seconds and seconds % UNITS[unit] == 0:
            return seconds // UNITS[unit], unit
    return seconds // 60, "minutes"
