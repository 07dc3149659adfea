"""What a marketer types into the editors of pushes and popups."""

from django.contrib.auth.models import User
from django.urls import reverse

from devices.models import BrandMembership

PUSH = {
    "name": "Bonus",
    "language": "en",
    "title": 'Hi {{ user.first_name | default: "there" }}',
    "message": "Your bonus waits.",
    "click_url": "https://www.example.com/bonus",
    "button_1_title": "Play",
    "button_1_url": "https://www.example.com/play",
    "ttl_amount": "2",
    "ttl_unit": "hours",
    "urgency": "high",
    "policy": "at_most_once",
    "utm_source": "smartpush",
    "utm_medium": "push",
}

POPUP = {
    "name": "Ask",
    "language": "en",
    "title": "Stay in touch?",
    "text": "Only good news.",
    "subscribe_label": "Subscribe",
    "later_label": "Maybe later",
    "close_label": "Close",
    "template": "simple",
    "primary": "permission",
    "expires_amount": "1",
    "expires_unit": "days",
    "colour_background": "#ffffff",
    "colour_text": "#111111",
    "colour_button": "#1d4ed8",
    "colour_button_text": "#ffffff",
}

PUSH_ADD, POPUP_ADD = reverse("admin:assets_pushresource_add"), reverse("admin:assets_popupresource_add")


def login(client, brand, role):
    staff = User.objects.create_user(f"{role}@{brand.pk}", is_staff=True)
    BrandMembership.objects.create(brand=brand, user=staff, role=role)
    client.force_login(staff)
    return client


def change(resource):
    return reverse(f"admin:assets_{resource._meta.model_name}_change", args=[resource.pk])
