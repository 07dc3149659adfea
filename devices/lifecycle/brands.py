"""Brands and their application server keys."""

from datetime import datetime

from django.db import transaction

from devices.brands.models import App, Brand, VapidKey
from devices.delivery.transports.vapid import generate_vapid_key
from devices.installations.archiving import app_archive, app_restore
from smartpush.common.addresses.origins import LOCAL_ORIGIN
from smartpush.common.crypto import encrypt


@transaction.atomic
def brand_create(*, name: str, origin: str = "", time_zone: str = "UTC", default_language: str = "en") -> Brand:
    """Create a brand with its VAPID key pair and, if an origin is given, its website."""
    brand = Brand(name=name, time_zone=time_zone, default_language=default_language)
    brand.full_clean()
    brand.save()
    vapid_key_add(brand=brand)
    if origin:
        app = App(brand=brand, kind=App.Kind.WEB, name=name, origin=origin)
        app.full_clean()
        app.save()
    return brand


@transaction.atomic
def vapid_key_add(*, brand: Brand) -> VapidKey:
    """Give the brand a new active key (RFC 8292); the old ones go on signing for their subscriptions."""
    public, private = generate_vapid_key()
    Brand.objects.select_for_update(no_key=True).only("pk").get(pk=brand.pk)  # one key is active, whoever asks at once
    VapidKey.objects.filter(brand=brand, active=True).update(active=False)
    return VapidKey.objects.create(brand=brand, public_key=public, private_key_encrypted=encrypt(private))


@transaction.atomic
def local_pages_follow(*, brand: Brand, now: datetime) -> None:
    """Give a brand the website that stands for developers' own machines, or archive it, as its switch says."""
    known = App.objects.filter(brand=brand, kind=App.Kind.WEB, origin=LOCAL_ORIGIN).first()
    if known is None:
        if brand.local_pages:
            App.objects.create(brand=brand, kind=App.Kind.WEB, name="Developers' own machines", origin=LOCAL_ORIGIN)
    elif brand.local_pages and known.archived_at is not None:
        app_restore(app=known)
    elif not brand.local_pages and known.archived_at is None:
        app_archive(app=known, now=now)


def brand_stop(*, brand_id: int, now: datetime) -> None:
    """Stop all sending of a brand; waiting messages are held, not lost."""
    Brand.objects.filter(pk=brand_id, sending_stopped_at__isnull=True).update(sending_stopped_at=now)


def brand_resume(*, brand_id: int) -> None:
    """Let a stopped brand send again; the ticker picks up what was held."""
    Brand.objects.filter(pk=brand_id).update(sending_stopped_at=None)
