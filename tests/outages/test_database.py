"""The database away, silent or cutting connections: every surface says so in its own shape, and works again after."""

from datetime import timedelta

import pytest
from django.db import connection

from devices.models import Brand, EndUser
from smartpush.common.ids import preference_token
from smartpush.common.time.clock import utc_now
from tests.api.server.client import Server
from tests.outages.conftest import Web

pytestmark = pytest.mark.django_db(transaction=True)
TROUBLES = ["away", "silent", "drops"]
AWAY = "The server cannot reach its database; try again."


def link(brand: Brand) -> str:
    end_user = EndUser.objects.create(brand=brand, external_id="ann")
    return f"/p/{preference_token(end_user.pk, utc_now() + timedelta(hours=1))}"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_surface_says_so_and_works_again_without_a_restart(web: Web, trouble: str):
    server, page = Server(web.brand), link(web.brand)
    key = {"Authorization": f"Bearer {server.secret}"}
    assert web.session().status == 200  # what is remembered for seconds is remembered now
    web.database.become(trouble)

    sdk = web.session()
    assert (sdk.status, sdk.code, sdk.json["error"]["message"]) == (503, "server_busy", AWAY)
    assert sdk.headers["Access-Control-Allow-Origin"] == "*"
    assert int(sdk.headers["Retry-After"]) > 0

    for path in ("users/ann", "campaigns", "push-resources", "nowhere"):
        answer = web.ask("GET", f"/api/v1/server/{path}", **key)
        assert answer.code == ("not_found" if answer.status == 404 else "server_busy"), answer.text
    assert int(web.ask("GET", "/api/v1/server/users/ann", **key).headers["Retry-After"]) > 0

    for method in ("GET", "POST"):
        shown = web.ask(method, page, "was_opted_out=0" if method == "POST" else None)
        assert (shown.status, "One moment, please" in shown.text) == (503, True)
        assert int(shown.headers["Retry-After"]) > 0
        assert shown.headers["Referrer-Policy"] == "no-referrer"
    greek = web.ask("GET", page, Accept_Language="el")
    assert "Τίποτα δεν χάθηκε" in greek.text

    for path in ("/admin/", "/admin/login/", "/admin/devices/enduser/"):
        admin = web.ask("GET", path, Cookie="sessionid=abcdefghijklmnopqrstuvwxyz012345")
        if path == "/admin/login/" and admin.status == 200:
            continue  # the form itself asks nobody who somebody is
        assert (admin.status, AWAY in admin.text) == (503, True), path
        assert admin.headers["Content-Type"].startswith("text/html")

    ready = web.ask("GET", "/readyz")
    assert (ready.status, ready.json["missing"]) == (503, ["database", "migrations"])
    assert web.ask("GET", "/healthz").status == 200

    web.database.become("there")
    assert web.ask("GET", "/readyz").status == 200
    assert web.session().status == 200
    assert web.ask("GET", "/api/v1/server/users/ann", **key).status == 200
    assert web.ask("GET", page).status == 200


def test_a_process_that_never_saw_the_database_answers_a_page_too(web: Web):
    web.database.become("away")
    answer = web.session()
    assert (answer.status, answer.code) == (503, "server_busy")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_missing_migration_is_told(web: Web):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = name || '_' WHERE app = 'devices' AND name LIKE '0016%'")
    try:
        answer = web.ask("GET", "/readyz")
        assert (answer.status, answer.json["missing"]) == (503, ["migrations"])
        assert answer.json["parts"]["database"] == "ok"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = rtrim(name, '_') WHERE app = 'devices'")


def test_what_nobody_expected_is_told_in_the_shape_of_its_surface(web: Web, brand):
    """A fault of ours: a column that is not there."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE devices_brand RENAME COLUMN session_minutes TO session_minutes_")
    try:
        answer = web.session()
        assert (answer.status, answer.code) == (500, "internal")
        page = web.ask("GET", link(brand))
        assert (page.status, "Something went wrong" in page.text) == (500, True)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE devices_brand RENAME COLUMN session_minutes_ TO session_minutes")
