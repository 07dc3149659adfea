"""Nothing takes people, devices, tokens or content with it unasked: by no page, box, action or crafted form."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign, CampaignVersion
from devices.admin.deleting import Asks, DecidedDeleting, DecidedInline, Never, WithItsForm
from devices.brands.selectors.consequences import taken_with
from devices.models import App, Brand, BrandMembership, CapCounter, Device, EndUser, FrequencyCap
from segments.models import ListEntry, Segment
from tests.backoffice.agreeing import agreed
from tests.backoffice.world import NOW

pytestmark = pytest.mark.django_db
MANY = 20_000


def decisions():
    """Every admin and inline with what it says of deleting."""
    for model, model_admin in admin.site._registry.items():
        yield model, model_admin
        for inline in model_admin.inlines:
            yield inline.model, inline


def undecided(model, rule):
    """The tables that would go without anybody having said so."""
    taken = {one.model for one in taken_with(model)}
    if isinstance(rule, Never):
        return set()
    said = set(rule.records)
    if isinstance(rule, Asks):
        said |= {named.model for named in (*rule.takes, *rule.bars)}
        for named in rule.bars:  # without the one there is none of the others
            said |= {one.model for one in taken_with(named.model)}
    return taken - said


def test_whatever_is_deleted_by_hand_says_what_goes_with_it():
    for model, decided in decisions():
        assert issubclass(decided if isinstance(decided, type) else type(decided), (DecidedDeleting, DecidedInline))
        assert undecided(model, decided.deleting) == set(), f"{decided}: say in `deleting` what becomes of these"
        if isinstance(decided, DecidedDeleting) and hasattr(decided, "delete_role"):
            assert (decided.delete_role is None) == isinstance(decided.deleting, Never), decided


def test_a_table_that_nobody_spoke_of_is_found_at_any_depth():
    assert undecided(App, Asks()) >= {Device}
    assert undecided(App, WithItsForm()) >= {Device}
    assert {one.model.__name__: one.paths for one in taken_with(Segment)}["ImportLine"] == ("job__segment",)
    assert User in {model for model, _ in decisions()}
    assert LogEntry in undecided(User, Asks()), "deleting an account would take the history of what it did"


def test_only_settings_go_with_their_form():
    held = {model for model, decided in decisions() if isinstance(decided.deleting, WithItsForm)}
    assert held == {FrequencyCap}


def everything():
    """How many rows each table has."""
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.managed and model is not LogEntry and model._meta.app_label != "sessions"
    }


def test_no_crafted_form_deletes_what_was_not_asked_about(ours, client_of):
    client = client_of(superuser=True)
    before = everything()
    for model, model_admin in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        row = ours.rows.get(model) or model.objects.first() or Group.objects.create(name="Editors")
        before["auth.Group"] = Group.objects.count()
        with transaction.atomic():
            client.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"})
            bulk = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
            client.post(reverse(f"admin:{name}_changelist"), bulk)
        assert everything() == before, model
        assert "delete_selected" not in model_admin.get_actions(client.get("/admin/").wsgi_request), model


def test_a_box_of_a_brand_deletes_no_website(ours, client_of):
    client, app = client_of(superuser=True), ours.rows[App]
    page = client.get(reverse("admin:devices_brand_change", args=[ours.brand.pk])).content.decode()
    assert "apps-0-DELETE" not in page
    body = {
        "name": ours.brand.name, "time_zone": "UTC", "default_language": "en", "logout_policy": "keep",
        "session_minutes": 30, "identity_mode": "off", "quiet_policy": "wait",
        "frequency_caps-TOTAL_FORMS": 0, "frequency_caps-INITIAL_FORMS": 0,
        "apps-TOTAL_FORMS": 1, "apps-INITIAL_FORMS": 1, "apps-0-id": app.pk, "apps-0-brand": ours.brand.pk,
        "apps-0-kind": "web", "apps-0-name": app.name, "apps-0-origin": app.origin, "apps-0-bundle_id": "",
        "apps-0-DELETE": "on",
    }  # fmt: skip
    assert client.post(reverse("admin:devices_brand_change", args=[ours.brand.pk]), body).status_code == 302
    assert App.objects.filter(pk=app.pk).exists()
    assert Device.objects.filter(app=app).exists()


def many_devices(app, end_user):
    """Devices of an app by the thousand, without the ORM."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO devices_device (brand_id, app_id, session_end_user_id, secret_hash, platform, browser,
                 browser_version, os, form_factor, language, time_zone, user_agent, endpoint, endpoint_origin,
                 unreachable_reason, last_seen_at)
               SELECT %s, %s, %s, 's', 'web', '', '', '', '', '', '', '', '', '', '', %s FROM generate_series(1, %s)""",
            [app.brand_id, app.pk, end_user.pk, NOW, MANY],
        )


def many_entries(segment):
    """End users by the thousand, all in one list."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH people AS (
                 INSERT INTO devices_enduser (brand_id, external_id, language, time_zone, country, properties)
                 SELECT %s, 'p' || n, '', '', '', '{}' FROM generate_series(1, %s) n RETURNING id)
               INSERT INTO segments_listentry (segment_id, end_user_id) SELECT %s, id FROM people""",
            [segment.brand_id, MANY, segment.pk],
        )


def rows_read(captured):
    """The queries that could bring more than a number or a row of people and devices."""
    big = ("devices_device", "devices_enduser", "segments_listentry", "devices_pushstatus")
    return [
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith("SELECT") and "COUNT(" not in query["sql"]
        and any(f'FROM "{table}"' in query["sql"] for table in big)
    ]  # fmt: skip


def test_a_website_with_devices_is_not_deleted_but_archived_and_its_devices_are_counted(ours, client_of):
    client, app = client_of(ours.brand), ours.rows[App]
    many_devices(app, ours.rows[EndUser])
    url = reverse("admin:devices_app_delete", args=[app.pk])
    for ask in (client.get, lambda page: client.post(page, {"post": "yes", "seen": "", "name": app.name})):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = ask(url)
        assert answer.status_code == 409
        assert f"{MANY + 1:,} devices" in answer.content.decode()
        assert reverse("admin:devices_app_archive", args=[app.pk]) in answer.content.decode()
        assert rows_read(captured) == []
        assert len(captured) < 20
    assert Device.objects.filter(app=app).count() == MANY + 1


def test_a_website_that_no_device_has_used_is_deleted_by_its_name(ours, client_of):
    client = client_of(ours.brand)
    app = App.objects.create(brand=ours.brand, name="Typo", origin="https://typo.example")
    url = reverse("admin:devices_app_delete", args=[app.pk])
    assert url in client.get(reverse("admin:devices_app_change", args=[app.pk])).content.decode()
    used = ours.rows[App].pk
    page = client.get(reverse("admin:devices_app_change", args=[used])).content.decode()
    assert reverse("admin:devices_app_delete", args=[used]) not in page, "a button that leads to a refusal"
    assert "No device has used it" in client.get(url).content.decode()
    for wrong in ({}, {"post": "yes"}, {"seen": ""}, {"seen": "", "name": "typo"}):
        client.post(url, wrong)
        assert App.objects.filter(pk=app.pk).exists(), wrong
    assert client.post(url, agreed(client, url)).status_code == 302
    assert not App.objects.filter(pk=app.pk).exists()
    assert LogEntry.objects.get(action_flag=DELETION).change_message.startswith("Deleted the app “Typo")
    assert ours.brand.history.latest().history_change_reason.startswith("Deleted the app “Typo")


def test_a_device_that_came_meanwhile_keeps_its_website(ours, client_of, monkeypatch):
    client, app = client_of(ours.brand), App.objects.create(brand=ours.brand, name="New", origin="https://n.example")
    url = reverse("admin:devices_app_delete", args=[app.pk])
    answer = agreed(client, url)
    whole = type(admin.site._registry[App]).delete_row

    def late(self, request, obj, numbers):
        many_devices(app, ours.rows[EndUser])  # after the page has counted, before anything is deleted
        return whole(self, request, obj, numbers)

    monkeypatch.setattr(type(admin.site._registry[App]), "delete_row", late)
    assert client.post(url, answer).status_code == 409
    assert App.objects.filter(pk=app.pk).exists()


@pytest.fixture
def listed(ours):
    segment = Segment.objects.create(brand=ours.brand, name="VIP  list", kind="imported", rules={})
    many_entries(segment)
    return segment


def test_a_list_asks_with_its_numbers_and_its_name_and_loads_nobody(ours, client_of, listed):
    client, url = client_of(ours.brand), reverse("admin:segments_segment_delete", args=[listed.pk])
    people = EndUser.objects.count()
    with CaptureQueriesContext(connection) as captured:
        page = client.get(url).content.decode()
    assert "20,000 end users&#x27; places in its list" in page
    assert rows_read(captured) == []
    assert len(captured) < 25
    answer = agreed(client, url)
    for wrong in (
        {}, {"post": "yes"}, answer | {"name": ""}, answer | {"name": "VIP"}, answer | {"seen": ""},
        answer | {"seen": answer["seen"].replace("20000", "19999")},
    ):  # fmt: skip
        client.post(url, wrong)
        assert ListEntry.objects.filter(segment=listed).count() == MANY, wrong
    with CaptureQueriesContext(connection) as captured:
        assert client.post(url, answer).status_code == 302
    assert rows_read(captured) == []
    assert len(captured) < 70
    assert not ListEntry.objects.exists()
    assert EndUser.objects.count() == people
    told = LogEntry.objects.get(action_flag=DELETION)
    assert told.change_message == "Deleted the segment “VIP  list”, and with it 20,000 end users' places in its list."
    assert (told.user.username, told.object_id) == ("ann", str(listed.pk))
    kept = ours.brand.history.latest()
    assert kept.history_change_reason == "Deleted the segment “VIP  list”: 20,000 end users' places in its list"
    assert kept.history_user.username == "ann"
    history = client.get(reverse("admin:devices_brand_history", args=[ours.brand.pk])).content.decode()
    assert "20,000 end users&#x27; places" in history


def test_numbers_that_changed_meanwhile_are_asked_about_again(ours, client_of, listed):
    client, url = client_of(ours.brand), reverse("admin:segments_segment_delete", args=[listed.pk])
    answer = agreed(client, url)
    ListEntry.objects.create(segment=listed, end_user=ours.rows[EndUser])
    again = client.post(url, answer)
    assert again.status_code == 409
    assert "The numbers have changed meanwhile" in again.content.decode()
    assert "20,001 end users&#x27; places" in again.content.decode()
    assert ListEntry.objects.filter(segment=listed).count() == MANY + 1
    assert not LogEntry.objects.filter(action_flag=DELETION).exists()
    assert client.post(url, agreed(client, url)).status_code == 302


def test_numbers_that_change_while_it_is_deleted_undo_it(ours, client_of, listed, monkeypatch):
    client, url = client_of(ours.brand), reverse("admin:segments_segment_delete", args=[listed.pk])
    answer = agreed(client, url)
    whole = type(admin.site._registry[Segment]).delete_row

    def late(self, request, obj, numbers):
        ListEntry.objects.create(segment=listed, end_user=ours.rows[EndUser])
        return whole(self, request, obj, numbers)

    monkeypatch.setattr(type(admin.site._registry[Segment]), "delete_row", late)
    again = client.post(url, answer)
    assert again.status_code == 409
    assert Segment.objects.filter(pk=listed.pk).exists()
    assert ListEntry.objects.filter(segment=listed).count() >= MANY
    assert not LogEntry.objects.filter(action_flag=DELETION).exists()


def test_a_long_name_leaves_room_for_the_numbers_in_the_history(ours, client_of, listed):
    Segment.objects.filter(pk=listed.pk).update(name="N" * 120)
    client, url = client_of(ours.brand), reverse("admin:segments_segment_delete", args=[listed.pk])
    assert client.post(url, agreed(client, url)).status_code == 302
    reason = ours.brand.history.latest().history_change_reason
    assert len(reason) <= 100
    assert reason.endswith("…: 20,000 end users' places in its list")


def test_a_draft_asks_and_a_campaign_that_ran_is_archived(ours, client_of):
    client = client_of(ours.brand)
    draft = Campaign.objects.create(brand=ours.brand, name="Draft")
    url = reverse("admin:campaigns_campaign_delete", args=[draft.pk])
    assert "never ran" in client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    assert Campaign.objects.filter(pk=draft.pk).exists()
    CampaignVersion.objects.create(campaign=draft, number=1, graph={}, entry={}, published_at=NOW)
    refused = client.post(url, {"seen": ""})
    assert (refused.status_code, "archive it instead" in refused.content.decode()) == (409, True)
    CampaignVersion.objects.filter(campaign=draft).delete()
    assert client.post(url, agreed(client, url)).status_code == 302
    assert not Campaign.objects.filter(pk=draft.pk).exists()


def test_an_account_is_switched_off_instead_of_deleted(client_of, ours):
    client = client_of(superuser=True)
    colleague = ours.rows[BrandMembership].user
    url = reverse("admin:auth_user_delete", args=[colleague.pk])
    for answer in (client.get(url), client.post(url, {"post": "yes", "seen": "", "name": str(colleague)})):
        assert answer.status_code == 403
        assert "switched off instead of deleted" in " ".join(answer.content.decode().split())
    assert url not in client.get(reverse("admin:auth_user_change", args=[colleague.pk])).content.decode()
    assert User.objects.filter(pk=colleague.pk).exists()


def test_a_group_says_how_many_lose_it(client_of):
    client, group = client_of(superuser=True), Group.objects.create(name="Night shift")
    User.objects.get(username="ann").groups.add(group)
    url = reverse("admin:auth_group_delete", args=[group.pk])
    assert "1 member&#x27;s place in the group" in client.get(url).content.decode()
    client.post(url, agreed(client, url) | {"name": "x"})
    assert Group.objects.exists()
    assert client.post(url, agreed(client, url)).status_code == 302
    assert not Group.objects.exists()
    assert User.objects.filter(username="ann").exists()


def test_a_frequency_cap_goes_with_its_form_and_its_counters_are_not_loaded(ours, client_of):
    client, cap = client_of(ours.brand), ours.rows[FrequencyCap]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO devices_capcounter (cap_id, end_user_id, window_start, count)"
            " SELECT %s, n, %s, 1 FROM generate_series(1, %s) n",
            [cap.pk, NOW, MANY],
        )
    app = ours.rows[App]
    body = {
        "name": ours.brand.name, "time_zone": "UTC", "default_language": "en", "logout_policy": "keep",
        "session_minutes": 30, "identity_mode": "off", "quiet_policy": "wait",
        "apps-TOTAL_FORMS": 1, "apps-INITIAL_FORMS": 1, "apps-0-id": app.pk, "apps-0-brand": ours.brand.pk,
        "apps-0-kind": "web", "apps-0-name": app.name, "apps-0-origin": app.origin, "apps-0-bundle_id": "",
        "frequency_caps-TOTAL_FORMS": 1, "frequency_caps-INITIAL_FORMS": 1, "frequency_caps-0-id": cap.pk,
        "frequency_caps-0-brand": ours.brand.pk, "frequency_caps-0-purpose": cap.purpose,
        "frequency_caps-0-scope": cap.scope, "frequency_caps-0-period": cap.period,
        "frequency_caps-0-most": cap.most, "frequency_caps-0-DELETE": "on",
    }  # fmt: skip
    with CaptureQueriesContext(connection) as captured:
        assert client.post(reverse("admin:devices_brand_change", args=[ours.brand.pk]), body).status_code == 302
    assert not FrequencyCap.objects.filter(pk=cap.pk).exists()
    assert not CapCounter.objects.filter(cap_id=cap.pk).exists()
    read = [q["sql"] for q in captured.captured_queries if 'FROM "devices_capcounter"' in q["sql"]]
    assert all(sql.startswith("DELETE") for sql in read)


def test_no_table_of_a_brand_is_out_of_reach_of_the_walk():
    reached = {one.model for one in taken_with(Brand)}
    direct = {
        model
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and field.related_model is Brand
        and field.remote_field.on_delete is models.CASCADE
    }
    assert direct <= reached
