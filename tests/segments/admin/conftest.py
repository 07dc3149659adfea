import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from devices.models import BrandMembership, EndUser
from segments.selectors import counting, listing, people
from segments.selectors.names import suggesting
from segments.services import sizes
from tests.segments.population import populate


@pytest.fixture(autouse=True)
def a_busy_machine_has_time(monkeypatch):
    """What is answered is tested here; that slow statements are cancelled has tests of its own."""
    for module, names in (
        (counting, ("FIRST_ANSWER", "QUICK", "EXACT")),
        (listing, ("_ON_THE_SPOT",)),
        (people, ("_RECENT_SECONDS", "_ALL_SECONDS")),
    ):
        for name in names:
            monkeypatch.setattr(module, name, 120.0)
    monkeypatch.setattr(suggesting, "WITHIN", 120_000)
    monkeypatch.setattr(sizes, "AT_ONCE", 120.0)


@pytest.fixture
def brand(db):
    return populate(seed=21, end_users=20)


@pytest.fixture
def staff_of(client):
    def login(brand, role="editor"):
        staff = User.objects.create_user(f"{role} of {brand}", is_staff=True)
        BrandMembership.objects.create(brand=brand, user=staff, role=role)
        client.force_login(staff)
        return client

    return login


@pytest.fixture
def editor(staff_of, brand):
    return staff_of(brand)


@pytest.fixture
def ask(editor):
    """POST to one of the builder's endpoints; answers the JSON."""

    def ask(name, rule, status=200, **more):
        body = {"rules": {"version": 1, "rule": rule}, **more}
        answer = editor.post(address(name), json.dumps(body), content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()

    return ask


def address(name):
    return reverse(f"admin:segments_segment_{name}")


@pytest.fixture
def theirs(brand):
    """Another brand with everything of its own."""
    other = populate(seed=4, end_users=4, name="Other")
    EndUser.objects.filter(brand=other).update(
        js_markers=["THEIRS"], country="XX", language="xx", properties={"city": "Theirs"}
    )
    return other
