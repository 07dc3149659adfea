"""Pages say in words why a push waits or ended, why a status is what it is, and how a journey went."""

import html
import re

import pytest
from django.urls import reverse

from campaigns.models import Enrolment, StepRun
from campaigns.words import EXIT_REASONS
from devices.delivery.words import DELIVERY_REASONS
from devices.installations.words import STATUS_CAUSES, STATUS_REASONS, TOKEN_ENDS
from devices.models import Delivery, Device, Dispatch, EndUser, PushStatus, PushStatusChange, TokenHolding

pytestmark = pytest.mark.django_db
CODES = {
    code
    for table in (DELIVERY_REASONS, STATUS_REASONS, STATUS_CAUSES, TOKEN_ENDS, EXIT_REASONS)
    for code in table.words
    if "_" in code
} | {"excluded_by_target", "no_device", "opted_out", "no_answer"}


def text_of(client, url):
    """What a reader sees of the page: no tags, scripts or filters' addresses."""
    page = client.get(url)
    assert page.status_code == 200
    body = re.sub(r"<(script|style|select|textarea)\b.*?</\1>", " ", page.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def codes_in(text):
    return {code for code in CODES if re.search(rf"(?<![\w/.-]){code}(?![\w/-]|\.\w)", text)}


def test_a_delivery_says_its_reason_in_words_in_the_list_and_on_its_page(ours, client_of):
    client, delivery = client_of(ours.brand), ours.rows[Delivery]
    for reason in ("token_gone", "http_418", "payload_too_large:title", "frequency_cap"):
        Delivery.objects.filter(pk=delivery.pk).update(state="failed", reason=reason, hold_reason="")
        for url in (
            reverse("admin:devices_delivery_changelist"),
            reverse("admin:devices_delivery_change", args=[delivery.pk]),
        ):
            text = text_of(client, url)
            assert DELIVERY_REASONS.of(reason) in text
            assert codes_in(text) == set()
    Delivery.objects.filter(pk=delivery.pk).update(state="ready", reason="", hold_reason="quiet_hours")
    assert "Waits for quiet hours" in text_of(client, reverse("admin:devices_delivery_change", args=[delivery.pk]))


def test_a_dispatch_says_why_it_was_stopped(ours, client_of):
    dispatch = ours.rows[Dispatch]
    Dispatch.objects.filter(pk=dispatch.pk).update(state="stopped", stop_reason="campaign_disabled")
    text = text_of(client_of(ours.brand), reverse("admin:devices_dispatch_change", args=[dispatch.pk]))
    assert "the campaign was disabled" in text
    assert codes_in(text) == set()


def test_a_person_s_page_says_everything_in_words(ours, client_of):
    client, person, device = client_of(ours.brand), ours.rows[EndUser], Device.objects.get(brand=ours.brand)
    PushStatus.objects.filter(end_user=person).update(status="not_supported", reason="ios_not_installed")
    PushStatusChange.objects.filter(end_user=person).update(cause="sdk_call", reason="subscription_missing")
    TokenHolding.objects.filter(end_user=person).update(until="2026-11-30T12:00Z", ended="taken_over")
    Device.objects.filter(pk=device.pk).update(token_hash=None, unreachable_reason="consent_withdrawn")
    Enrolment.objects.filter(end_user=person).update(state="exited", exit_reason="campaign_archived", wake_at=None)
    StepRun.objects.update(kind="push", outcome="excluded_by_target")
    Delivery.objects.filter(end_user=person).update(state="cancelled", reason="device_taken_over")
    text = text_of(client, reverse("admin:devices_enduser_change", args=[person.pk]))
    assert codes_in(text) == set()
    for words in (
        "on an iPhone the website must be on the home screen first",
        "reported by the page; allowed, but the subscription is gone; it subscribes anew",
        "somebody else logged in",
        "the campaign was archived",
        "Push, No device among the target devices",
    ):
        assert words in text


def test_a_code_on_a_page_would_be_found():
    assert codes_in("It ended: device_taken_over. Then (no_device)") == {"device_taken_over", "no_device"}
    assert codes_in("At https://shop.example/no_device and device_taken_over.html") == set()
