"""Proof of consent in the back office: for reading, of one brand and one end user only."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from assets.models import PopupResource
from devices.lifecycle.preferences import opt_out_set
from devices.models import ConsentRecord, EndUser, PopupOffer, PushCategory
from devices.people.selectors.preferences import OptOut
from devices.people.services.categories import category_create
from smartpush.backoffice.profile import choices
from smartpush.backoffice.timeline import timeline
from tests.backoffice.world import NOW

pytestmark = pytest.mark.django_db
LIST = "admin:devices_consentrecord_changelist"


def test_the_list_shows_the_brands_own_answers_for_reading(ours, theirs, client_of):
    ConsentRecord.objects.all().delete()
    for world in (ours, theirs):
        opt_out_set(end_user_id=world.rows[EndUser].pk, opted_out=True, by="staff", now=NOW)
    client = client_of(ours.brand)
    page = client.get(reverse(LIST))
    assert [row.brand_id for row in page.context["cl"].result_list] == [ours.brand.pk]
    mine, other = (ConsentRecord.objects.get(brand=world.brand) for world in (ours, theirs))
    assert client.get(reverse("admin:devices_consentrecord_change", args=[mine.pk])).status_code == 200
    assert client.get(reverse("admin:devices_consentrecord_change", args=[other.pk])).status_code == 302
    assert client.get(reverse("admin:devices_consentrecord_add")).status_code == 403
    found = client.get(reverse(LIST) + "?q=OURS-user")
    assert len(found.context["cl"].result_list) == 1
    assert f">{ours.rows[EndUser]}</a>" in page.content.decode()


def test_the_timeline_tells_an_end_users_own_answers_only(ours):
    ours_user = ours.rows[EndUser]
    ConsentRecord.objects.all().delete()
    someone = EndUser.objects.create(brand=ours.brand, external_id="someone")
    opt_out_set(end_user_id=someone.pk, opted_out=True, by="platform", now=NOW)
    assert not [one for one in timeline(end_user=ours_user, page=1)[0] if one.kind == "consent"]
    (told,) = [one for one in timeline(end_user=someone, page=1)[0] if one.kind == "consent"]
    assert (told.title, told.detail) == ("Opted out", "by server API")


def test_a_record_names_the_revision_of_the_popup_that_was_answered(ours, client_of):
    revision, offer = ours.rows[PopupResource].revisions.get(), ours.rows[PopupOffer]
    row = ConsentRecord.objects.create(
        brand=ours.brand, end_user_id=ours.rows[EndUser].pk, subject="popup", answer="allowed", at=NOW,
        popup_revision_id=revision.pk, offer_id=offer.pk, device_id=offer.device_id,
    )  # fmt: skip
    page = client_of(ours.brand, "viewer").get(reverse("admin:devices_consentrecord_change", args=[row.pk]))
    text = page.content.decode()
    assert f"{revision.resource.name}</a>, revision {revision.number}" in text
    assert reverse("admin:devices_popupoffer_change", args=[offer.pk]) in text


def _page(end_user, name):
    return reverse(f"admin:devices_enduser_{name}", args=[end_user.pk])


def test_an_opt_out_by_staff_is_asked_for_recorded_as_theirs_and_lifted_by_any_editor(ours, client_of):
    end_user = ours.rows[EndUser]
    ConsentRecord.objects.all().delete()
    client = client_of(ours.brand, "editor")
    assert "Opt out" in client.get(_page(end_user, "opt_out")).content.decode()
    assert not ConsentRecord.objects.exists()  # asking changes nothing
    client.post(_page(end_user, "opt_out"))
    client.post(_page(end_user, "opt_out"))
    end_user.refresh_from_db()
    assert (end_user.user_opt_out, end_user.platform_opt_out) == (True, False)
    assert ConsentRecord.objects.values_list("subject", "answer", "by").get() == ("opt_out", "opted_out", "staff")
    assert LogEntry.objects.filter(object_id=str(end_user.pk), change_message="Opted out.").count() == 1
    assert client.post(_page(end_user, "opt_in")).status_code == 302
    end_user.refresh_from_db()
    assert not end_user.user_opt_out
    assert ConsentRecord.objects.latest("pk").by == "staff"


@pytest.mark.parametrize("recorded", ["by_themselves", "after_staff", "nothing"])
def test_only_an_admin_lifts_an_opt_out_that_is_the_end_users_own_word(ours, client_of, recorded):
    end_user = ours.rows[EndUser]
    ConsentRecord.objects.all().delete()
    if recorded == "nothing":
        EndUser.objects.update(user_opt_out=True)
    else:
        for by in ["staff", "end_user"] if recorded == "after_staff" else ["end_user"]:
            opt_out_set(end_user_id=end_user.pk, opted_out=True, by=by, now=NOW)
    editor = client_of(ours.brand, "editor", name="edda")
    assert "They opted out themselves" in editor.get(_page(end_user, "change")).content.decode()
    assert editor.get(_page(end_user, "opt_in")).status_code == 403  # no button that leads nowhere
    refusal = editor.post(_page(end_user, "opt_in"))
    assert refusal.status_code == 403
    assert "They opted out themselves" in refusal.content.decode()
    end_user.refresh_from_db()
    assert end_user.user_opt_out
    admin = client_of(ours.brand, "admin")
    assert _page(end_user, "opt_in") in admin.get(_page(end_user, "change")).content.decode()
    admin.post(_page(end_user, "opt_in"))
    end_user.refresh_from_db()
    assert not end_user.user_opt_out


def test_staff_do_not_lift_the_platforms_opt_out(ours, client_of):
    end_user = ours.rows[EndUser]
    opt_out_set(end_user_id=end_user.pk, opted_out=True, by="platform", now=NOW)
    client_of(ours.brand).post(_page(end_user, "opt_in"))
    end_user.refresh_from_db()
    assert end_user.platform_opt_out


def test_the_profile_tells_todays_choices_and_whose_word_an_opt_out_is(ours):
    end_user = ours.rows[EndUser]
    ConsentRecord.objects.all().delete()
    PushCategory.objects.filter(brand=ours.brand).delete()
    for name in ("Books", "Music"):
        category_create(brand=ours.brand, name=name)
    end_user.js_markers = ["BOOKS", "VIP"]
    opt_out_set(end_user_id=end_user.pk, opted_out=True, by="staff", now=NOW)
    opt_out_set(end_user_id=end_user.pk, opted_out=True, by="end_user", now=NOW + timedelta(hours=1))
    end_user.user_opt_out = True
    told = choices(end_user=end_user)
    assert told.categories == ["Books"]
    assert told.own == OptOut(since=NOW, by="end_user")
    assert (told.own_word, told.platform) == (True, None)
    assert [(answer.words, answer.by) for answer in told.answers] == [("Opted out", "end user"), ("Opted out", "staff")]
