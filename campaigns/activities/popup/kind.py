"""Popup: put a question or a message before the end user and wait for the answer."""

from dataclasses import dataclass

from campaigns.journey.kinds import Group, Kind, Widget, setting
from campaigns.journey.lengths import length
from devices.delivery.popup_outcomes import PopupOutcome

_LEAST, _MOST = 30, 28 * 86_400
# A popup that never reached a page (nobody came, another popup was in the way all the time, the person has opted out),
# or was taken back, takes the branch of one that got no answer: to the journey it is the same.
_LIKE_NO_ANSWER = ("expired", "busy", "opted_out", "cancelled")


@dataclass(frozen=True, slots=True)
class PopupSettings:
    """The popup resource; how many seconds an answer is awaited (None or 0: as long as the resource says)."""

    popup: int | None = setting("Popup", Widget.RESOURCE)
    timeout: int | None = setting(
        "Waits for an answer",
        Widget.DURATION,
        least=_LEAST,
        most=_MOST,
        bounds="A popup waits for its answer from 30 seconds to 28 days.",
        empty="As long as the popup says",
    )


def _seconds(settings: PopupSettings) -> int:
    return settings.timeout or 0


def _sentence(settings: PopupSettings) -> str:
    return f"Waits {length(settings.timeout)} for an answer" if settings.timeout else "Popup"


KIND = Kind(
    name="popup",
    title="Popup",
    group=Group.MESSAGES,
    icon="ad_units",
    settings=PopupSettings,
    outcomes=tuple((outcome.value, outcome.label) for outcome in PopupOutcome),
    says={
        "expired": "Nobody came in time",
        "busy": "Another popup was open all the time",
        "opted_out": "Opted out",
        "cancelled": "Taken back",
    },
    like=dict.fromkeys(_LIKE_NO_ANSWER, PopupOutcome.NO_ANSWER.value),
    lets_time_pass=True,
    seconds=_seconds,
    sentence=_sentence,
)
