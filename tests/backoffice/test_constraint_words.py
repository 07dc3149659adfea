"""A rule of the database that a form can break says in a sentence what to do, never the name of a constraint."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import FieldError
from django.db.models import BaseConstraint, CheckConstraint, Model, UniqueConstraint
from django.test import RequestFactory
from django.urls import reverse

from devices.models import App, Brand, BrandMembership
from tests.support.models import fields_in, our_models

pytestmark = pytest.mark.django_db


def form_fields(request, model_admin, obj) -> set[str]:
    """The fields of an admin's form; those of its table where the page has a form of its own."""
    try:
        return set(model_admin.get_form(request, obj, change=obj is not None).base_fields)
    except FieldError:
        return {field.name for field in model_admin.model._meta.local_fields if field.editable}


def forms(request, rows) -> Iterator[tuple[type[Model], set[str]]]:
    """Each form of the back office that can be sent: its model, and the fields that it validates."""
    for model, model_admin in admin.site._registry.items():
        adds = model_admin.has_add_permission(request)
        changes = model in rows and model_admin.has_change_permission(request, rows[model])
        for obj in [None] * adds + [rows.get(model)] * changes:
            yield model, {*form_fields(request, model_admin, obj), "brand"}
            for formset, inline in model_admin.get_formsets_with_inlines(request, obj):
                yield inline.model, {*formset.form.base_fields, formset.fk.name}


def fields_of(constraint: BaseConstraint) -> set[str]:
    if isinstance(constraint, UniqueConstraint):
        named = set(constraint.fields)
        return named | (fields_in(constraint.condition) if constraint.condition is not None else set())
    assert isinstance(constraint, CheckConstraint)
    return fields_in(constraint.condition)


def reached(model: type[Model], constraint: BaseConstraint, validated: dict[type[Model], list[set[str]]]) -> bool:
    """Whether validation of any form can find it broken; a choice that is none never comes so far."""
    fields = fields_of(constraint)
    if isinstance(constraint, CheckConstraint) and all(model._meta.get_field(name).choices for name in fields):
        return False
    return any(fields <= names for names in validated.get(model, []))


# Models that a service validates as a whole (full_clean), whatever form it came by.
VALIDATED_WHOLE = {Brand, App, BrandMembership}


@pytest.fixture
def validated(ours) -> dict[type[Model], list[set[str]]]:
    request = RequestFactory().get("/admin/")
    request.user, request.session = User.objects.create_superuser("root"), {}
    found: dict[type[Model], list[set[str]]] = {}
    for model, names in forms(request, ours.rows):
        found.setdefault(model, []).append(names)
    for model in VALIDATED_WHOLE:
        found.setdefault(model, []).append({field.name for field in model._meta.local_fields})
    return found


def test_every_rule_that_validation_can_find_broken_says_what_to_do(validated):
    silent, spoken = [], 0
    for model in our_models():
        for constraint in model._meta.constraints:
            if not reached(model, constraint, validated):
                continue
            said = str(constraint.violation_error_message)
            if said == str(BaseConstraint.default_violation_error_message) or not said.endswith("."):
                silent.append(constraint.name)
            spoken += 1
    assert not silent, f"give each a violation_error_message: {silent}"
    assert spoken > 15


ADD = "admin:devices_app_add"


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"kind": "web", "origin": "HTTPS://OURS.example:443/"}, "origin"),
        ({"kind": "ios", "bundle_id": "example.ours"}, "bundle_id"),
    ],
)
def test_a_second_app_of_one_address_names_the_first_and_no_other_brands(ours, theirs, client_of, fields, where):
    App.objects.create(brand=ours.brand, kind="ios", name="Pocket", bundle_id="example.ours")
    App.objects.create(brand=theirs.brand, kind="ios", name="Foreign", bundle_id="example.ours")
    App.objects.create(brand=theirs.brand, name="Foreign", origin="https://ours.example")
    body = {"name": "Again", "origin": "", "bundle_id": "", **fields}
    errors = client_of(ours.brand).post(reverse(ADD), body).context["adminform"].form.errors
    (said,) = errors[where]
    first = {"origin": ours.rows[App].name, "bundle_id": "Pocket"}[where]
    assert f"“{first}” of {ours.brand} has it already" in said and "Foreign" not in str(errors)
    assert set(errors) == {where}


def test_an_origin_of_another_brand_is_free(ours, theirs, client_of):
    body = {"kind": "web", "name": "Shared", "origin": theirs.rows[App].origin, "bundle_id": ""}
    assert client_of(ours.brand).post(reverse(ADD), body).status_code == 302


def test_two_new_websites_of_one_origin_in_one_form_are_told_apart(ours, client_of):
    body = {
        "name": ours.brand.name, "time_zone": "UTC", "default_language": "en", "logout_policy": "keep",
        "session_minutes": 30, "identity_mode": "off", "quiet_policy": "wait",
        "frequency_caps-TOTAL_FORMS": 0, "frequency_caps-INITIAL_FORMS": 0,
        "apps-TOTAL_FORMS": 2, "apps-INITIAL_FORMS": 0,
    }  # fmt: skip
    for number in range(2):
        body |= {f"apps-{number}-kind": "web", f"apps-{number}-name": f"Shop {number}", f"apps-{number}-bundle_id": ""}
        body[f"apps-{number}-origin"] = "https://new.example"
    page = client_of(ours.brand).post(reverse("admin:devices_brand_change", args=[ours.brand.pk]), body)
    assert page.status_code == 200
    assert "“Shop 0” above has it already" in page.content.decode()
    assert not App.objects.filter(origin="https://new.example").exists()
