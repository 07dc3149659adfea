"""Delay: wait for a length of time."""

from dataclasses import dataclass

from campaigns.journey.kinds import Group, Kind, Widget, setting
from campaigns.journey.lengths import length

_LEAST, _MOST = 1, 365 * 86_400


@dataclass(frozen=True, slots=True)
class DelaySettings:
    """How long, in seconds."""

    seconds: int = setting(
        "Waits",
        Widget.DURATION,
        default=0,
        least=_LEAST,
        most=_MOST,
        bounds="A delay is from one second to 365 days.",
    )


def _seconds(settings: DelaySettings) -> int:
    return settings.seconds


def _sentence(settings: DelaySettings) -> str:
    return f"Wait {length(settings.seconds)}"


KIND = Kind(
    name="delay",
    title="Delay",
    group=Group.FLOW,
    icon="hourglass_top",
    settings=DelaySettings,
    lets_time_pass=True,
    seconds=_seconds,
    sentence=_sentence,
)
