"""Sessions, what the browser reports, and the answers to them."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from devices.delivery.transports.base import SendRefused
from devices.delivery.transports.endpoints import check_endpoint, check_keys
from devices.installations.reporting import REASONS, DeviceInfo, PushReport, Subscription
from devices.models import Device, Status
from smartpush.api.sdk.serializers.fields import InstallationSerializer, KeptPropertiesField, PollAnswer, TabField
from smartpush.api.sdk.serializers.identity import ExternalIdField, IdentityAnswer, LanguageField, TimeZoneField
from smartpush.api.sdk.serializers.keeping import KeepingSerializer, KeptText
from smartpush.api.sdk.serializers.preferences import ConsentSerializer


class SubscriptionSerializer(serializers.Serializer[Any]):
    endpoint = serializers.CharField(max_length=2048)
    p256dh = serializers.CharField(max_length=100)
    auth = serializers.CharField(max_length=40)
    vapid_key = serializers.CharField(max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            origin = check_endpoint(
                attrs["endpoint"],
                dev_origins=settings.SMARTPUSH_DEV_ORIGINS,
                extra_hosts=settings.SMARTPUSH_PUSH_HOSTS,
            )
        except SendRefused as problem:
            raise serializers.ValidationError(
                {"endpoint": f"Not the address of a push service that is sent to ({problem.code})."}
            ) from None
        try:
            p256dh, auth = check_keys(attrs["p256dh"], attrs["auth"])
        except SendRefused as problem:
            raise serializers.ValidationError(
                {problem.code.split("_")[0]: f"Not a usable key ({problem.code})."}
            ) from None
        attrs["checked"] = Subscription(
            endpoint=attrs["endpoint"],
            origin=origin,
            p256dh=p256dh,
            auth=auth,
            vapid_key=attrs["vapid_key"].rstrip("=").replace("+", "-").replace("/", "_"),
        )
        return attrs


class PushSerializer(KeepingSerializer):
    essential = frozenset({"subscription", "token"})

    status = serializers.ChoiceField(choices=["ask", "allowed", "blocked", "not_supported"])
    reason = KeptText(keep=32)
    permission = KeptText(keep=16)
    subscription = SubscriptionSerializer(allow_null=True, required=False, default=None)
    token = serializers.CharField(
        max_length=4096,
        allow_blank=True,
        allow_null=True,
        required=False,
        default="",
        help_text="Native apps: the FCM registration token, in place of a subscription.",
    )


class DeviceSerializer(KeepingSerializer):
    browser = serializers.ChoiceField(choices=Device.Browser.choices, required=False, default="other")
    browser_version = KeptText(keep=32)
    os = KeptText(keep=16)
    form_factor = serializers.ChoiceField(choices=Device.FormFactor.choices, required=False, default="desktop")
    language = LanguageField(max_length=64, allow_blank=True, required=False, default="")
    time_zone = TimeZoneField(max_length=64, allow_blank=True, required=False, default="")
    user_agent = KeptText(keep=1000)
    os_version = KeptText(keep=32)
    app_version = KeptText(keep=32)
    model = KeptText(keep=64)


class SessionSerializer(KeepingSerializer):
    essential = frozenset({"installation", "external_id"})

    installation = InstallationSerializer(allow_null=True, required=False, default=None)
    external_id = ExternalIdField(max_length=255, allow_null=True, required=False, default=None)
    identity_token = serializers.CharField(
        allow_null=True,
        allow_blank=True,
        required=False,
        default=None,
        help_text="Too long a one is refused as malformed.",
    )
    language = LanguageField(max_length=64, allow_null=True, allow_blank=True, required=False, default="")
    properties = KeptPropertiesField(required=False, default=dict)
    push = PushSerializer()
    device = DeviceSerializer(required=False, default=dict)
    consent = ConsentSerializer(allow_null=True, required=False, default=None)
    tab = TabField()


class IdentifySerializer(SessionSerializer):
    external_id = ExternalIdField(max_length=255)


class StatusSerializer(KeepingSerializer):
    installation = InstallationSerializer()
    push = PushSerializer()
    tab = TabField()
    cause = serializers.ChoiceField(
        choices=["session", "popup", "sdk_call", "worker", "resubscribe"], required=False, default="sdk_call"
    )


class WorkerSubscriptionSerializer(StatusSerializer):
    cause = serializers.ChoiceField(choices=["worker"], required=False, default="worker")


def push_report(data: dict[str, Any]) -> PushReport:
    """The checked report; a reason that we do not know is kept as `unknown`."""
    reason = data["reason"] if data["reason"] in REASONS else "unknown"
    subscription = data["subscription"]["checked"] if data["subscription"] else None
    status = Status(data["status"])
    if reason in ("subscription_missing", "token_missing"):
        # Granted before, but the page has yet to learn our key, or Firebase gave no token yet: the real report
        # follows. It is no Ask.
        status = Status.NOT_SUPPORTED
    token = data["token"] or ""
    return PushReport(status=status, reason=reason, subscription=subscription, token=token)


def device_info(data: dict[str, Any]) -> DeviceInfo:
    """The checked device; long user agents are cut to 300 characters."""
    return DeviceInfo(**{**data, "user_agent": data.get("user_agent", "")[:300]})


class InstallationAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    secret = serializers.CharField(required=False)


class EndUserAnswer(serializers.Serializer[Any]):
    id = serializers.CharField()
    anonymous = serializers.BooleanField()
    external_id = serializers.CharField(allow_null=True)


class StatusAnswer(PollAnswer):
    status = serializers.ChoiceField(choices=Status.choices)
    vapid_key = serializers.CharField()
    resubscribe = serializers.BooleanField()


class SessionAnswer(StatusAnswer):
    installation = InstallationAnswer()
    end_user = EndUserAnswer()
    identity = IdentityAnswer()
    click_hosts = serializers.ListField(child=serializers.CharField())
