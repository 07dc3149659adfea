"""Stop: the journey ends here."""

from typing import Any

from campaigns.journey.kinds import Group, Kind


def _sentence(_settings: Any) -> str:
    return "Stop"


KIND = Kind(name="stop", title="Stop", group=Group.FLOW, icon="stop_circle", ends=True, sentence=_sentence)
