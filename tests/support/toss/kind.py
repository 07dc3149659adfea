"""A toy activity that is no part of the product: toss a coin for each person."""

from dataclasses import dataclass

from campaigns.journey.kinds import Group, Kind, Widget, setting


@dataclass(frozen=True, slots=True)
class TossSettings:
    """The chance of heads, and what the coin is called in the review."""

    chance: int | None = setting("Chance of heads in percent", Widget.NUMBER, default=50, least=0, most=100)
    coin: str | None = setting("Coin", Widget.TEXT, default="penny", least=1, most=20)


def _sentence(settings: TossSettings) -> str:
    return f"Toss a {settings.coin} ({settings.chance} % heads)"


def _problems(settings: TossSettings):
    if settings.coin == "button":
        yield "not_a_coin", "A button is no coin. Name a coin."


KIND = Kind(
    name="toss",
    title="Toss a coin",
    group=Group.FLOW,
    icon="paid",
    settings=TossSettings,
    outcomes=(("heads", "Heads"), ("tails", "Tails")),
    sentence=_sentence,
    problems=_problems,
)
