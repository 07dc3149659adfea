"""Proof of who calls, for brands that ask for it (docs/identity.md)."""

from typing import Any

from devices.installations.identity import CannotProveIdentity, Outcome, Verdict, identity_prove, proof_wanted
from devices.models import Brand, Device
from smartpush.api.sdk.auth import Caller
from smartpush.common.calls.errors import ApiError


def _origin(caller: Caller) -> str:
    return caller.app.origin or caller.app.bundle_id


def verdict_on(caller: Caller, data: dict[str, Any]) -> Verdict | None:
    """What the token of a session or identify proves; None when nobody is named or the brand does not look.

    Raises identity_required (no token) or identity_refused where the brand enforces.
    """
    if not data["external_id"]:
        return None
    try:
        return identity_prove(
            brand=caller.brand,
            token=data["identity_token"],
            external_id=data["external_id"],
            origin=_origin(caller),
            now=caller.now,
        )
    except CannotProveIdentity as problem:
        if problem.outcome == Outcome.MISSING:
            raise identity_required() from None
        told = {"identity_token": [f"{problem.outcome}: {problem}"]}
        raise ApiError(401, "identity_refused", str(problem), fields=told) from None


def identity_required() -> ApiError:
    """The client asks its own server for a token and identifies again."""
    return ApiError(
        401, "identity_required", "This brand asks for proof of who this is: identify with an identity token first."
    )


def proof_demand(caller: Caller, device: Device) -> None:
    """Refuse a call on behalf of a known end user while nobody proves that they are there."""
    if proof_wanted(brand=caller.brand, device=device, now=caller.now):
        raise identity_required()


def identity_body(caller: Caller, device: Device) -> dict[str, Any]:
    """The part of an answer that tells the client whether to identify (again), and when the proof ends."""
    off = caller.brand.identity_mode == Brand.IdentityMode.OFF
    return {
        "required": proof_wanted(brand=caller.brand, device=device, now=caller.now),
        "proven_until": None if off else device.identity_proven_until,
    }
