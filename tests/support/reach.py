"""Give an end user a device that pushes reach."""

from datetime import UTC, datetime

from devices.models import App, Device, PushStatus, VapidKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def reach(end_user):
    key = VapidKey.objects.create(brand=end_user.brand, public_key="k", private_key_encrypted="x")
    device = Device.objects.create(
        brand=end_user.brand, app=App.objects.get(), session_end_user=end_user, holder=end_user, secret_hash="s",
        platform="web", endpoint="https://push.example/x", endpoint_origin="https://push.example", p256dh=b"p",
        auth=b"a", vapid_key=key, token_hash="t", last_seen_at=NOW,
    )  # fmt: skip
    PushStatus.objects.create(
        brand=end_user.brand, end_user=end_user, device=device, status="allowed", since=NOW, reported_at=NOW
    )
