"""What the calls share: the check of the body, the known installation, and the parts of answers."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from devices.installations.identity import proof_wanted
from devices.installations.reporting import InstallationUnknown, TokenNotYours
from devices.lifecycle.consents import Asked
from devices.lifecycle.sessions import SessionResult, device_of
from devices.models import Device, EndUser
from smartpush.api.sdk import flows
from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.auth import Caller, FromBrandSite, credentials_of, installation_unknown
from smartpush.api.sdk.identity import proof_demand
from smartpush.api.sdk.native import body_for
from smartpush.api.sdk.parsers import SdkParser, characters_told
from smartpush.common.calls.errors import ApiError
from smartpush.common.calls.left_out import MOST, LeftOut
from smartpush.common.database.deadlocks import transaction_again


def body_kept(request: Request, kind: type[Serializer[Any]]) -> tuple[dict[str, Any], list[LeftOut]]:
    """Return the checked body and what was left out of it; raises ValidationError."""
    data, left_out = s.kept(s.checker(kind), request.data)
    return data, characters_told(getattr(request, "replaced", [])) + left_out


def left_out_body(*parts: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the part of an answer that says what was left out; nothing where everything was kept."""
    entries = [one.body() for part in parts for one in part][:MOST]
    return {"left_out": entries} if entries else {}


class SdkView(APIView):
    """A call from a page of the brand.

    `left_out` is what the check of the body left out; an `answer` that finds more gives all of it as `left_out_body`.
    """

    permission_classes = (FromBrandSite,)
    parser_classes = (SdkParser,)
    body: type[Serializer[Any]]
    left_out: Sequence[LeftOut] = ()

    def post(self, request: Request) -> Response:
        caller: Caller = request.caller  # type: ignore[attr-defined]
        checked, self.left_out = body_kept(request, self.body)
        data = body_for(app=caller.app, data=checked)
        self.prepare(caller, data)
        try:
            answer = transaction_again(lambda: self.answer(caller, data))
            return Response({**left_out_body(self.left_out), **answer})
        except InstallationUnknown:
            raise installation_unknown() from None
        except TokenNotYours as problem:
            raise ApiError(403, "token_not_yours", f"{problem} Subscribe again and report the new one.") from None

    def prepare(self, caller: Caller, data: dict[str, Any]) -> None:
        """What comes before the transaction, once: what it writes stays, whatever becomes of the call."""

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        """The whole of the call, in one transaction; it is done anew where it lost a race, so it keeps nothing."""
        raise NotImplementedError


class InstallationView(SdkView):
    """A call by a known installation on behalf of the end user in session, proven where the brand insists.

    `device_alone` says that the call writes nothing that belongs to a person: then it locks the device only.
    """

    device_alone = False

    def answer(self, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
        credentials = credentials_of(data["installation"])
        assert credentials is not None
        device = device_of(app=caller.app, credentials=credentials, alone=self.device_alone)
        proof_demand(caller, device)
        return self.answer_device(caller, device, data)

    def answer_device(self, caller: Caller, device: Device, data: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


def languages_of(end_user: EndUser, device: Device) -> Sequence[str]:
    return [language for language in (end_user.language, device.language) if language]


def asked_on(caller: Caller, device: Device, language: str = "") -> Asked:
    """Where an answer in this call was given: the site's origin or the app's id, and the language."""
    words = language or next(iter(languages_of(device.session_end_user, device)), "")
    return Asked(device_id=device.pk, language=words, origin=caller.app.origin or caller.app.bundle_id)


def popup_answer(
    device: Device, end_user: EndUser, tab: str, caller: Caller, *, loading: bool = False
) -> dict[str, Any]:
    """The popup for this tab; none for a known end user who is not proven where the brand insists."""
    unproven = proof_wanted(brand=caller.brand, device=device, now=caller.now)
    offer = (
        None
        if unproven
        else flows.offer_for(
            device=device,
            end_user_id=end_user.pk,
            languages=languages_of(end_user, device),
            tab=tab,
            now=caller.now,
            loading=loading,
        )
    )
    return {"popup": offer, "poll_after": flows.POLL_AFTER}


def status_body(result: SessionResult) -> dict[str, Any]:
    return {"status": result.status, "vapid_key": result.vapid_key, "resubscribe": result.resubscribe}
