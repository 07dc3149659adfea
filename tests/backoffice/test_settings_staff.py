"""Admins of a brand add colleagues and let them go, without a superuser and without reaching further."""

import re
import threading

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse

from devices.brands.services.staff import CannotChangeStaff, membership_remove, staff_add
from devices.lifecycle.brands import brand_create
from devices.models import BrandMembership
from tests.backoffice.world import PASSWORD, staff

ADD = "admin:devices_brandmembership_add"
NEW = "brand-new-secret-77"


def _add(client, name, role="editor", **more):
    return client.post(reverse(ADD), {"name": name, "role": role, **more})


def _link(response):
    return re.search(r"data-shown-once>\s*([^<\s]+)", response.content.decode())[1]


def _set_password(link):
    """Follow the link as a stranger's browser does; the page that it leads to, and the answer to the form."""
    client = Client()
    page = client.get(link.replace("http://testserver", ""), follow=True)
    form = page.redirect_chain[-1][0] if page.redirect_chain else link
    return page, client.post(form, {"new_password1": NEW, "new_password2": NEW})


@pytest.mark.django_db
class TestAddingAColleague:
    def test_somebody_new_gets_an_account_of_this_brand_and_sets_the_password_by_a_link_shown_once(
        self, ours, theirs, client_of
    ):
        admin = client_of(ours.brand)
        response = _add(admin, "zoe@example.com", "publisher")
        zoe = User.objects.get(username="zoe@example.com")
        assert (zoe.email, zoe.is_staff, zoe.is_superuser, zoe.has_usable_password()) == (
            "zoe@example.com", True, False, False,
        )  # fmt: skip
        assert list(zoe.brand_memberships.values_list("brand", "role")) == [(ours.brand.pk, "publisher")]
        link = _link(response)
        assert "no-store" in response.headers["Cache-Control"]
        listed = admin.get(reverse("admin:devices_brandmembership_changelist")).content.decode()
        assert link.split("/")[-2] not in listed
        assert "Password not set yet" in listed
        page, answer = _set_password(link)
        assert "zoe@example.com" in page.content.decode()
        assert link.split("/")[-2] not in page.request["PATH_INFO"]
        assert answer.status_code == 302
        client = Client()
        login = client.post(reverse("admin:login"), {"username": "zoe@example.com", "password": NEW})
        assert login.status_code == 302
        people = client.get(reverse("admin:devices_enduser_changelist")).content.decode()
        assert f"{ours.word}-user" in people
        assert f"{theirs.word}-user" not in people
        again, _ = _set_password(link)
        assert "does not work any more" in again.content.decode()

    def test_a_weak_password_is_refused(self, ours, client_of):
        link = _link(_add(client_of(ours.brand), "zoe"))
        client = Client()
        page = client.get(link.replace("http://testserver", ""), follow=True)
        answer = client.post(page.redirect_chain[-1][0], {"new_password1": "password", "new_password2": "password"})
        assert answer.status_code == 200
        assert not User.objects.get(username="zoe").has_usable_password()

    def test_a_new_link_makes_the_old_one_worthless_and_there_is_none_once_a_password_is_set(self, ours, client_of):
        admin = client_of(ours.brand)
        old = _link(_add(admin, "zoe"))
        membership = BrandMembership.objects.get(user__username="zoe")
        renew = reverse("admin:devices_brandmembership_link", args=[membership.pk])
        assert admin.get(renew).status_code == 405
        new = _link(admin.post(renew))
        assert "does not work any more" in _set_password(old)[0].content.decode()
        assert _set_password(new)[1].status_code == 302
        refusal = admin.post(renew, follow=True).content.decode()
        assert "has set a password" in refusal
        assert "data-shown-once" not in refusal

    @pytest.mark.parametrize("name", ["", "   ", "a b", "<b>", "@", "x@y", "a" * 151])
    def test_what_is_no_name_is_refused(self, ours, client_of, name):
        before = User.objects.count(), BrandMembership.objects.count()
        client = client_of(ours.brand)
        assert _add(client, name).status_code == 200
        assert (User.objects.count() - 1, BrandMembership.objects.count() - 1) == before

    def test_the_brand_is_the_own_one_whatever_the_form_says(self, ours, theirs, client_of):
        _add(client_of(ours.brand), "zoe", brand=theirs.brand.pk)
        assert BrandMembership.objects.get(user__username="zoe").brand == ours.brand

    def test_other_brands_staff_superusers_and_the_switched_off_are_not_theirs_to_add(self, ours, theirs, client_of):
        User.objects.create_superuser("root", email="root@example.com")
        gone = staff(name="gone")
        gone.is_active = False
        gone.save()
        client = client_of(ours.brand)
        for name in (f"{theirs.word}-staff", f"{theirs.word}-STAFF".lower(), "root", "ROOT@example.com", "gone"):
            page = _add(client, name, "admin")
            assert "not yours to add" in page.content.decode(), name
            assert not BrandMembership.objects.filter(brand=ours.brand, user__username__iexact=name).exists()

    def test_a_colleague_of_the_admins_other_brand_joins_without_a_link(self, ours, client_of):
        other = brand_create(name="Other", origin="https://other.example")
        client = client_of(ours.brand)
        BrandMembership.objects.create(brand=other, user=User.objects.get(username="ann"), role="admin")
        staff(name="bea", brand=other, role="viewer")
        assert _add(client, "bea", _brand=ours.brand.pk).status_code == 302
        assert User.objects.get(username="bea").check_password(PASSWORD)
        assert "already" in _add(client, "bea", _brand=ours.brand.pk).content.decode()

    def test_a_link_shown_before_never_opens_an_account_that_another_brand_took_on(self, ours, theirs, client_of):
        old = _link(_add(client_of(ours.brand), "zoe"))
        response = _add(client_of(superuser=True, name="root"), "zoe", _brand=ours.brand.pk)
        assert response.status_code == 200
        root = User.objects.get(username="root")
        zoe = User.objects.get(username="zoe")
        BrandMembership.objects.filter(user=zoe).delete()
        staff_add(brand=theirs.brand, name="zoe", role="admin", by=root)
        assert "does not work any more" in _set_password(old)[0].content.decode()


@pytest.mark.django_db
class TestChangingAndLettingGo:
    def _url(self, page, membership):
        return reverse(f"admin:devices_brandmembership_{page}", args=[membership.pk])

    def test_an_admin_gives_another_role_and_ends_the_work_of_a_colleague(self, ours, client_of):
        client = client_of(ours.brand)
        membership = ours.rows[BrandMembership]
        assert client.post(self._url("change", membership), {"role": "editor"}).status_code == 302
        membership.refresh_from_db()
        assert membership.role == "editor"
        assert client.post(self._url("delete", membership), {"seen": ""}).status_code == 302
        assert not BrandMembership.objects.filter(pk=membership.pk).exists()
        assert User.objects.filter(username=f"{ours.word}-staff").exists()
        kept = BrandMembership.history.filter(id=membership.pk).latest()
        assert (kept.history_type, kept.history_user.username) == ("-", "ann")

    def test_the_last_admin_stays(self, ours, client_of):
        client = client_of(ours.brand)
        me = BrandMembership.objects.get(user__username="ann")
        off = staff(name="off", brand=ours.brand, role="admin")
        off.is_active = False
        off.save()
        for page, body in (("change", {"role": "viewer"}), ("delete", {"seen": ""})):
            answer = client.post(self._url(page, me), body, follow=True)
            assert "is the last admin" in answer.content.decode()
            me.refresh_from_db()
            assert me.role == "admin"
        staff(name="bea", brand=ours.brand, role="admin")
        assert client.post(self._url("change", me), {"role": "viewer"}).status_code == 302
        me.refresh_from_db()
        assert me.role == "viewer"

    def test_the_membership_of_a_superuser_is_not_a_brand_admins(self, ours, client_of):
        root = User.objects.create_superuser("root")
        entry = BrandMembership.objects.create(brand=ours.brand, user=root, role="admin")
        client = client_of(ours.brand)
        for page, body in (("change", {"role": "viewer"}), ("delete", {"seen": ""})):
            assert "runs this installation" in client.post(self._url(page, entry), body, follow=True).content.decode()
        entry.refresh_from_db()
        assert entry.role == "admin"

    def test_no_link_for_somebody_who_works_elsewhere_too(self, ours, theirs, client_of):
        client = client_of(ours.brand)
        _add(client, "zoe")
        mine = BrandMembership.objects.get(user__username="zoe")
        BrandMembership.objects.create(brand=theirs.brand, user=mine.user, role="viewer")
        page = client.post(self._url("link", mine), follow=True).content.decode()
        assert "works for other brands too" in page
        assert "data-shown-once" not in page

    def test_who_is_no_admin_changes_nobody_and_is_told_which_right_is_missing(self, ours, client_of):
        client = client_of(ours.brand, "publisher")
        membership = ours.rows[BrandMembership]
        for url in (
            reverse(ADD),
            *(self._url(page, membership) for page in ("change", "delete", "link")),
        ):  # fmt: skip
            refusal = client.post(url, {"role": "admin", "name": "zoe", "post": "yes"})
            assert refusal.status_code == 403
            assert "you need the role Admin" in refusal.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_let_each_other_go_at_once_do_not_both_succeed():
    brand = brand_create(name="Harbour Books", origin="https://books.example")
    people = [staff(name=name, brand=brand) for name in ("ann", "bea")]
    entries = {entry.user_id: entry for entry in BrandMembership.objects.all()}
    begin = threading.Barrier(2)
    refused = []

    def work(me, other):
        try:
            begin.wait(120)
            membership_remove(membership=entries[other.pk], by=me)
        except CannotChangeStaff as refusal:
            refused.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=pair) for pair in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(refused) == 1
    assert BrandMembership.objects.filter(role="admin").count() == 1
