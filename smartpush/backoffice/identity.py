"""What observing identities has seen, in words: what went wrong, what to do about it, and whether to enforce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.brands.selectors.identity import Seen, active_keys, observation_days, observations
from devices.models import Brand, IdentityObservation
from smartpush.backoffice.overview import percent
from smartpush.common.numbers import counted

LEAST_CALLS = 20
READY_SHARE = 0.99
Outcome = IdentityObservation.Outcome

WHAT_TO_DO: Mapping[str, str] = {
    Outcome.MISSING: "The page identified somebody without a token. Pass getToken to identify, on every page that logs "
    "people in; apps pass identity_token.",
    Outcome.MALFORMED: "What arrived is not a JWT, often an error page or an empty object. Return the token's text "
    "itself from getToken, and write exp, iat and nbf as numbers of seconds.",
    Outcome.ALGORITHM: "Sign with ES256. A library told HS256 or RS256 signs with another kind of key.",
    Outcome.KEY_UNKNOWN: "Put the id of a key that is kept here into the token's header as kid, or add the key "
    "that your server signs with. A key of another environment is the usual cause.",
    Outcome.KEY_REVOKED: "A server still signs with a key that was revoked here. Give it the new key.",
    Outcome.SIGNATURE: "The private key on your server is not the pair of the public key kept here under this kid. "
    "Compare the two; add the right public key under a new kid.",
    Outcome.EXPIRED: "The token was too old when it arrived. Make a new one whenever getToken is called, instead of "
    "keeping one from the log-in; check your server's clock.",
    Outcome.NOT_YET: "Your server's clock is more than a minute ahead, or nbf lies in the future. Set the clock.",
    Outcome.TOO_LONG: "exp is missing, or lies more than an hour ahead. Let tokens end within the hour, in seconds "
    "since 1970, not milliseconds.",
    Outcome.SUBJECT: "The token names somebody else than identify did. Make sub the same text as the external id, "
    "number or not; a cached token of the previous person causes this too.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "ready to enforce?", with the tone of its box."""

    tone: str
    title: str
    text: str


def verdict(*, brand: Brand, keys: int, seen: Sequence[Seen]) -> Verdict:
    """Tell whether enforcing would shut somebody out, from the calls of yesterday and today."""
    recent = sum(one.recent for one in seen)
    proven = sum(one.recent for one in seen if one.outcome == Outcome.VALID)
    failed = recent - proven
    share = percent(proven, recent)
    calls = counted(number=recent, one="call")
    refused = counted(number=failed, one="was", many="were")
    if brand.identity_mode == Brand.IdentityMode.ENFORCE:
        if not keys:
            return Verdict("bad", "Nobody can log in", "Identity is enforced and there is no key: add one.")
        if failed:
            what = f"Of {calls} since yesterday, {refused} refused. What was seen says what to do."
            return Verdict("warn" if proven else "bad", "Enforced, and refusing some", what)
        return Verdict("good", "Enforced", "Only proven end users are served. Nothing was refused since yesterday.")
    if not keys:
        return Verdict("info", "Not ready: there is no key", "Add the public key of your server's key pair.")
    if brand.identity_mode == Brand.IdentityMode.OFF:
        what = "Switch the identity mode to Observe in the brand's settings: tokens are then checked, refusing nobody."
        return Verdict("info", "Not known yet: nothing is checked", what)
    if recent < LEAST_CALLS:
        what = f"{calls} since yesterday; wait for {LEAST_CALLS} before relying on what they say."
        return Verdict("info", "Not known yet: too few calls", what)
    if proven == recent:
        what = f"All {calls} since yesterday were proven. Enforcing shuts nobody out who came since then."
        return Verdict("good", "Ready to enforce", what)
    if proven >= READY_SHARE * recent:
        what = f"{share} of {calls} since yesterday were proven; enforcing would have refused {failed:,}."
        return Verdict("good", "Ready to enforce", what)
    what = (
        f"{share} of {calls} since yesterday were proven; enforcing would have refused {failed:,}. "
        "What was seen is listed with what to do; mend it and look again tomorrow."
    )
    return Verdict("warn", "Not ready to enforce", what)


def identity_seen(*, brand: Brand, now: datetime) -> dict[str, Any]:
    """What the page about observing shows."""
    seen = observations(brand=brand, today=now.date())
    total = sum(one.count for one in seen)
    proven = sum(one.count for one in seen if one.outcome == Outcome.VALID)
    rows = [
        {
            "seen": one,
            "label": Outcome(one.outcome).label,
            "todo": WHAT_TO_DO.get(one.outcome, ""),
            "share": percent(one.count, total),
            "good": one.outcome == Outcome.VALID,
        }
        for one in seen
    ]
    days = []
    for place, day in enumerate(observation_days(today=now.date())):
        calls, good = sum(one.by_day[place] for one in seen), _proven_on(seen, place)
        days.append({"day": day, "calls": calls, "proven": good, "share": percent(good, calls)})
    return {
        "brand": brand,
        "verdict": verdict(brand=brand, keys=active_keys(brand=brand), seen=seen),
        "total": total,
        "proven": proven,
        "failed": total - proven,
        "share": percent(proven, total),
        "rows": rows,
        "failures": [row for row in rows if not row["good"]],
        "days": [row for row in reversed(days) if row["calls"]],
    }


def _proven_on(seen: Sequence[Seen], place: int) -> int:
    return sum(one.by_day[place] for one in seen if one.outcome == Outcome.VALID)
