"""The size of a segment over time, ready to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from segments.models import Segment, SegmentSize

DAYS = 90
WIDTH, HEIGHT = 600, 160


@dataclass(frozen=True)
class Point:
    """One day; `x`, `y` and `y_reachable` are places in the drawing."""

    day: date
    size: int
    reachable: int
    x: float
    y: float
    y_reachable: float


@dataclass(frozen=True)
class History:
    """Daily points, oldest first; `top` is the number at the upper edge."""

    points: Sequence[Point]
    top: int

    @property
    def line(self) -> str:
        """The size as the points of an SVG polyline."""
        return " ".join(f"{point.x},{point.y}" for point in self.points)

    @property
    def line_reachable(self) -> str:
        """Those whom a push reached, alike."""
        return " ".join(f"{point.x},{point.y_reachable}" for point in self.points)

    @property
    def area(self) -> str:
        """What lies under the size, as the points of an SVG polygon."""
        if not self.points:
            return ""
        return f"{self.points[0].x},{HEIGHT} {self.line} {self.points[-1].x},{HEIGHT}"


def segment_history(*, segment: Segment) -> History:
    """The points of the last 90 days up to the newest one."""
    newest = SegmentSize.objects.filter(segment=segment).order_by("-day").first()
    if newest is None:
        return History((), 0)
    rows = list(SegmentSize.objects.filter(segment=segment, day__gt=newest.day - timedelta(days=DAYS)).order_by("day"))
    first, span = rows[0].day, max((newest.day - rows[0].day).days, 1)
    top = _round_up(max(row.size for row in rows))

    def height(number: int) -> float:
        return round(HEIGHT * (1 - number / top), 1)

    return History(
        [
            Point(
                row.day,
                row.size,
                row.reachable,
                round(WIDTH * (row.day - first).days / span, 1) if len(rows) > 1 else WIDTH / 2,
                height(row.size),
                height(row.reachable),
            )
            for row in rows
        ],
        top,
    )


def _round_up(number: int) -> int:
    """The next number of the kind 1, 2, 2.5, 5 times a power of ten."""
    power = 1
    while power * 10 <= number:
        power *= 10
    steps = (1, 2, 2.5, 5, 10)
    return max(
        1, next(int(step * power) for step in steps if step * power >= number and step * power == int(step * power))
    )
