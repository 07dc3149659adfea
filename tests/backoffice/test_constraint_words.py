"""A rule of the database that a form can break says in a sentence what to do, never the name of a constraint."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import FieldError
from django.db.models import BaseConstraint, CheckConstraint, Model, UniqueConstraint
from django.test import RequestFactory

from tests.test_architecture import fields_in, our_models

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


def test_x(ours):
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("root")
    request.session = {}
    validated: dict[type[Model], list[set[str]]] = {}
    for model, names in forms(request, ours.rows):
        validated.setdefault(model, []).append(names)
    for model in our_models():
        for c in model._meta.constraints:
            r = reached(model, c, validated)
            if r:
                print(c.name, c.violation_error_message)
