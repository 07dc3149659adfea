"""Every table that names an end user takes part in merging two people, and in erasing one."""

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from devices.lifecycle.erasing import ERASE_STEPS
from devices.lifecycle.merging import MERGE_STEPS
from devices.lifecycle.steps import Above, Step, erase_steps_above, merge_steps_above, steps_register
from devices.models import EndUser

# What may name a person who is gone, and why.
EXEMPT = {
    "devices_changedenduser": "a queue: whoever is gone is passed over, and the row goes with the next tick",
}


def tables_of_people() -> set[str]:
    """Tables with a column that names an end user: a foreign key, or a number or list of numbers called so."""
    found = set()
    for model in apps.get_models():
        if model is EndUser:
            continue
        for field in model._meta.concrete_fields:
            if getattr(field, "related_model", None) is EndUser or _named(field):
                found.add(model._meta.db_table)
    return found


def _named(field: models.Field) -> bool:
    numbers = isinstance(field, models.IntegerField) or (
        isinstance(field, ArrayField) and isinstance(field.base_field, models.IntegerField)
    )
    return numbers and ("end_user" in field.name or "person" in field.name)


def left_out(steps) -> set[str]:
    """The tables of people for which none of these steps answers."""
    return tables_of_people() - {table for step in steps for table in step.tables} - EXEMPT.keys()


MERGING = (*MERGE_STEPS, *merge_steps_above())
ERASING = (*ERASE_STEPS, *erase_steps_above())


@pytest.mark.parametrize("steps", [MERGING, ERASING], ids=["merge", "erase"])
def test_no_table_that_names_a_person_is_left_out(steps):
    assert left_out(steps) == set()
    assert {table for step in steps for table in step.tables} <= tables_of_people()
    assert tables_of_people() >= EXEMPT.keys()


@pytest.mark.parametrize("steps", [MERGING, ERASING], ids=["merge", "erase"])
@pytest.mark.parametrize("table", ["segments_importslice", "campaigns_enrolment", "devices_consentrecord"])
def test_a_table_whose_step_is_missing_is_found(steps, table):
    assert left_out([step for step in steps if table not in step.tables]) >= {table}


def test_the_apps_above_follow_each_other_in_the_stated_order():
    names = ["journeys and entry guards", "lists", "memberships"]
    assert [step.name for step in merge_steps_above()] == names
    assert [step.name for step in erase_steps_above()] == names
    assert len(names) == len(Above)


def test_a_place_is_taken_once():
    step = Step("again", (), lambda call: None)
    with pytest.raises(ValueError, match="LISTS is taken"):
        steps_register(place=Above.LISTS, merge=step, erase=step)
