"""Push: send a message to the end user's devices."""

from dataclasses import dataclass

from campaigns.journey.kinds import Group, Kind, Widget, setting

_TARGETS = (("all", "All"), ("web", "Web"), ("native", "Native apps"))


@dataclass(frozen=True, slots=True)
class PushSettings:
    """The push resource, and which devices the message may go to."""

    push: int | None = setting("Push", Widget.RESOURCE)
    target_devices: str = setting("Target devices", Widget.CHOICE, default="all", choices=_TARGETS)


def _sentence(settings: PushSettings) -> str:
    return {"web": "Only to web browsers", "native": "Only to native apps"}.get(settings.target_devices, "Push")


KIND = Kind(
    name="push",
    title="Push",
    group=Group.MESSAGES,
    icon="notifications",
    settings=PushSettings,
    sentence=_sentence,
    says={
        "sent": "Sent",
        "no_device": "No device to send to",
        "excluded_by_target": "No device among the target devices",
    },
)
