"""The pages of imported segments, as marketers of two brands use them."""

import csv
import io

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from devices.lifecycle.brands import brand_create
from devices.models import EndUser
from segments.admin import lists_uploads
from segments.models import ListEntry, Segment, SegmentImport
from segments.services.imports import import_run
from smartpush.common.time.clock import utc_now
from tests.backoffice.agreeing import agreed
from tests.backoffice.world import staff
from tests.segments.lists.people import a_list, imported, members, people

pytestmark = pytest.mark.django_db
JSON = {"headers": {"Accept": "application/json"}}


@pytest.fixture
def brand():
    return brand_create(name="Shop", origin="https://shop.example")


@pytest.fixture
def crowd(brand):
    return people(brand, "ann", "bob", "cem")


@pytest.fixture
def client_of():
    def make(brand, role="editor"):
        client = Client()
        user = staff(name=f"{role}-{brand.name}", brand=brand, role=role)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def editor(brand, client_of):
    return client_of(brand)


def page(segment, name="list"):
    return reverse(f"admin:segments_segment_{name}", args=[segment.pk])


def upload(content, name="ids.csv"):
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def run(segment):
    import_run(import_id=segment.imports.latest("pk").pk, now=utc_now())


def downloaded(answer):
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_new_list_is_named_filled_and_matched(editor, brand, crowd):
    add = reverse("admin:segments_segment_list_add")
    assert b"Make the segment" in editor.get(add).content
    answer = editor.post(add, {"name": "VIP", "description": "d", "file": upload("id\nann\nbob\nzoe\n")})
    segment = Segment.objects.get()
    assert (answer.status_code, answer.url) == (302, page(segment))
    assert (segment.kind, segment.brand, segment.created_by.username) == ("imported", brand, "editor-Shop")
    assert b"looked up" in editor.get(page(segment)).content
    run(segment)
    shown = editor.get(page(segment)).content.decode()
    assert members(segment) == {"ann", "bob"}
    assert "Download the unknown ids" in shown
    assert "<strong>2</strong> end users in the list" in shown


def test_a_new_list_may_stay_empty(editor):
    editor.post(reverse("admin:segments_segment_list_add"), {"name": "Later"})
    assert b"Nothing has been imported yet" in editor.get(page(Segment.objects.get())).content


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        ({"name": " "}, "name", "Give the segment a name"),
        ({"name": "VIP list"}, "name", "has a segment of this name"),
        ({"name": "x" * 121}, "name", "120 characters"),
        ({"name": "x\x00y"}, "name", "cannot be stored"),
        ({"name": "New", "description": "x" * 301}, "description", "300 characters"),
        ({"name": "New", "ids": "x", "file": upload("x")}, "file", "not both"),
        ({"name": "New", "ids": "x\n" * 10_001}, "file", "10,001 ids"),
        ({"name": "New", "file": upload(b"PK\x03\x04", "ids.xlsx")}, "file", "Excel workbook"),
        ({"name": "New", "file": upload("\n\n")}, "file", "holds no id"),
    ],
)
def test_what_is_wrong_stands_beside_the_field_and_nothing_is_made(editor, brand, data, field, says):
    a_list(brand)
    add = reverse("admin:segments_segment_list_add")
    for headers in ({}, JSON):
        if "file" in data:
            data["file"].seek(0)
        answer = editor.post(add, data, **headers)
        assert answer.status_code == 400
        problems = answer.json()["problems"] if headers else answer.context["problems"]
        assert says in problems[field][0]
    assert Segment.objects.count() == 1


def test_the_page_uploads_in_the_background_and_is_led_on(editor, brand, crowd):
    segment = a_list(brand)
    answer = editor.post(page(segment, "list_import"), {"mode": "add", "file": upload("ann\n")}, **JSON)
    assert answer.json() == {"location": page(segment)}
    second = editor.post(page(segment, "list_import"), {"mode": "add", "file": upload("bob\n")}, **JSON)
    assert second.status_code == 400
    assert "under way" in second.json()["problems"]["file"][0]
    assert (
        "under way"
        in editor.post(page(segment, "list_import"), {"mode": "add", "ids": "a"}, follow=True).content.decode()
    )


@pytest.mark.parametrize("typed", ["ann\nbob", "ann, bob", "ann;bob\r\n", " ann\t\n\nbob,"])
def test_ids_can_be_typed(editor, brand, crowd, typed):
    segment = a_list(brand)
    editor.post(page(segment, "list_import"), {"mode": "add", "ids": typed})
    run(segment)
    assert members(segment) == {"ann", "bob"}


def test_progress_is_told_while_an_import_is_open(editor, brand, crowd):
    segment = a_list(brand)
    address = page(segment, "list_progress")
    assert (editor.get(address).json()["state"], editor.get(address).json()["open"]) == ("", False)
    editor.post(page(segment, "list_import"), {"mode": "add", "ids": "ann"})
    told = editor.get(address).json()
    assert (told["state"], told["open"]) == ("waiting", True)
    assert "0 of 1 id looked up" in told["html"]
    run(segment)
    told = editor.get(address).json()
    assert told["open"] is False
    assert "matched" in told["html"]


def test_replacing_shows_the_numbers_and_waits_to_be_confirmed(editor, brand, crowd):
    segment = a_list(brand, crowd["ann"], crowd["bob"])
    editor.post(page(segment, "list_import"), {"mode": "replace", "file": upload("bob\ncem\n")})
    run(segment)
    job = SegmentImport.objects.get()
    shown = editor.get(page(segment)).content.decode()
    assert "Replace the list?" in shown
    assert (job.state, job.added, job.removed) == ("asking", 1, 1)
    assert members(segment) == {"ann", "bob"}
    editor.post(page(segment, "list_confirm"), {"import": job.pk})
    run(segment)
    assert members(segment) == {"bob", "cem"}


def test_an_import_is_cancelled_by_its_page_and_only_once(editor, brand, crowd):
    segment = a_list(brand, crowd["ann"])
    editor.post(page(segment, "list_import"), {"mode": "remove", "ids": "ann"})
    job = SegmentImport.objects.get()
    editor.post(page(segment, "list_cancel"), {"import": job.pk})
    job.refresh_from_db()
    assert job.state == "cancelled"
    for name, number in (
        ("list_cancel", job.pk),
        ("list_confirm", job.pk),
        ("list_cancel", 9**30),
        ("list_cancel", "x"),
    ):
        answer = editor.post(page(segment, name), {"import": number}, follow=True)
        assert answer.status_code == 200
        assert [str(message) for message in answer.context["messages"]]
    assert members(segment) == {"ann"}


def test_it_is_renamed(editor, brand):
    segment = a_list(brand)
    a_list(brand, name="Taken")
    assert editor.post(page(segment), {"name": "Taken"}).status_code == 400
    editor.post(page(segment), {"name": "VIPs", "description": "All"})
    segment.refresh_from_db()
    assert (segment.name, segment.description, segment.kind) == ("VIPs", "All", "imported")


def test_a_file_over_the_limit_is_refused_without_being_kept(editor, brand, monkeypatch):
    monkeypatch.setattr(lists_uploads, "upload_limit", lambda: 3 << 20)
    segment = a_list(brand)
    answer = editor.post(page(segment, "list_import"), {"mode": "add", "file": upload(b"x\n" * (2 << 20))}, **JSON)
    assert answer.status_code == 400
    assert "larger than" in answer.json()["problems"]["file"][0]
    assert not SegmentImport.objects.exists()


def test_forms_of_other_sites_are_refused(brand):
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        staff(name="eve", brand=brand, role="editor"), backend="django.contrib.auth.backends.ModelBackend"
    )
    segment = a_list(brand)
    assert client.post(page(segment, "list_import"), {"mode": "add", "ids": "ann"}).status_code == 403
    assert client.post(reverse("admin:segments_segment_list_add"), {"name": "x"}).status_code == 403
    client.get(page(segment))
    token = client.cookies["csrftoken"].value
    data = {"mode": "add", "ids": "ann", "csrfmiddlewaretoken": token}
    assert client.post(page(segment, "list_import"), data).status_code == 302
    assert SegmentImport.objects.count() == 1


def test_unknown_ids_are_downloaded_with_their_lines(editor, brand, crowd):
    segment = a_list(brand)
    job = imported(segment, "id\nann\nzoe\n=1+1\nyan\n-7\n")
    SegmentImport.objects.update(finished_at=utc_now())
    address = f"{page(segment, 'list_unknown')}?import={job.pk}"
    rows = downloaded(editor.get(address))
    assert rows == [["line", "external_id"], ["3", "zoe"], ["4", "'=1+1"], ["5", "yan"], ["6", "'-7"]]
    assert "unknown ids" in LogEntry.objects.latest("pk").get_change_message()
    assert editor.get(f"{page(a_list(brand, name='b'), 'list_unknown')}?import={job.pk}").status_code == 404
    SegmentImport.objects.update(finished_at="2020-01-01T00:00Z")
    assert editor.get(address).status_code == 404


def test_a_list_is_exported_with_what_a_marketer_needs(editor, brand):
    names = ["ann", "=cmd|' /C calc'!A0", "+49", "-1", "@x", 'q"uo,te', "Ω", "safe-1"]
    crowd = people(brand, *names)
    EndUser.objects.filter(external_id="ann").update(
        language="de",
        country="AT",
        last_session_status="allowed",
        last_session_at="2026-11-20T12:00Z",
        never_contact=True,
    )
    visitor = EndUser.objects.create(brand=brand)
    segment = a_list(brand, visitor, *crowd.values())
    people(brand, "not in it")
    asked = editor.get(page(segment, "export"))
    assert b"8 end users as a CSV" in asked.content
    assert b"1 visitor who never logged in" in asked.content
    head, *rows = downloaded(editor.post(page(segment, "export")))
    assert head == [
        "external_id", "language", "country", "push_status_of_the_last_session", "visited", "reachable",
        "never_contact", "last_seen",
    ]  # fmt: skip
    assert {row[0] for row in rows} == {
        "ann", "'=cmd|' /C calc'!A0", "'+49", "'-1", "'@x", 'q"uo,te', "Ω", "safe-1",
    }  # fmt: skip
    assert next(row for row in rows if row[0] == "ann") == [
        "ann", "de", "AT", "allowed", "yes", "no", "yes", "2026-11-20T12:00:00Z",
    ]  # fmt: skip
    assert {(row[4], row[6]) for row in rows if row[0] != "ann"} == {("no", "no")}
    entry = LogEntry.objects.latest("pk")
    assert entry.get_change_message() == "Exported 8 end users with an external id."
    assert (entry.user.username, entry.object_id) == ("editor-Shop", str(segment.pk))


def test_what_was_exported_can_be_imported_again_as_it_is(editor, brand):
    names = ["ann", "=1", "+49", "-1", "@x", 'q"uo,te', "Ω", "'single"]
    crowd = people(brand, *names)
    segment = a_list(brand, *crowd.values())
    content = b"".join(editor.post(page(segment, "export")).streaming_content)
    copy = a_list(brand, name="Copy")
    job = imported(copy, content)
    assert members(copy) == set(names)
    assert (job.unknown, job.skipped) == (0, 0)


def test_a_segment_of_rules_is_exported_too(editor, brand, crowd):
    EndUser.objects.filter(external_id="ann").update(last_session_status="blocked")
    other = brand_create(name="Other", origin="https://other.example")
    people(other, "ole")
    EndUser.objects.filter(external_id="ole").update(last_session_status="blocked")
    rule = {"field": "push_status_last_session", "operator": "is", "value": "blocked"}
    segment = Segment.objects.create(brand=brand, name="Blocked 100%", rules={"version": 1, "rule": rule})
    assert page(segment, "to_export") in editor.get(page(segment, "change")).content.decode()
    assert editor.get(page(segment, "to_export")).url == page(segment, "export")
    rows = downloaded(editor.post(page(segment, "export")))
    assert [row[0] for row in rows[1:]] == ["ann"]


def test_viewers_see_a_list_and_neither_change_nor_export_it(client_of, brand, crowd):
    viewer = client_of(brand, "viewer")
    segment = a_list(brand, crowd["ann"])
    job = imported(segment, "zoe")
    shown = viewer.get(page(segment)).content.decode()
    assert "need the role Editor" in shown
    assert "Export" not in shown.replace("to export it", "")
    assert viewer.get(page(segment, "list_progress")).status_code == 200
    for name in ("export", "to_export", "list_unknown", "list_confirm", "list_cancel", "list_import", "list"):
        refusal = viewer.post(page(segment, name), {"import": job.pk, "name": "x", "mode": "add", "ids": "bob"})
        assert refusal.status_code == 403, name
    for name in ("export", "list_unknown"):
        assert viewer.get(f"{page(segment, name)}?import={job.pk}").status_code == 403
    assert viewer.get(reverse("admin:segments_segment_list_add")).status_code == 403
    assert members(segment) == {"ann"}


def test_lists_of_another_brand_do_not_exist(client_of, brand, crowd):
    other = brand_create(name="Other", origin="https://other.example")
    theirs = a_list(other, name="Secret")
    job = imported(theirs, "zoe")
    client = client_of(brand)
    mine = a_list(brand)
    for name in ("list", "list_import", "list_progress", "list_confirm", "list_cancel", "list_unknown", "export"):
        for method in (client.get, client.post):
            answer = method(page(theirs, name), {"import": job.pk})
            assert answer.status_code in (302, 404), name
            assert "Secret" not in answer.content.decode()
    assert client.get(f"{page(mine, 'list_unknown')}?import={job.pk}").status_code == 404


def test_the_change_page_of_a_list_is_its_own_page(editor, brand):
    segment = a_list(brand)
    assert editor.get(page(segment, "change")).url == page(segment)
    rules = Segment.objects.create(brand=brand, name="R", rules={"version": 1, "rule": {"all": []}})
    assert editor.get(page(rules)).url == page(rules, "change")


def test_deleting_says_how_many_and_reads_none_of_them(editor, brand, crowd):
    segment = a_list(brand, *crowd.values())
    imported(segment, "zoe")
    asked = editor.get(page(segment, "delete")).content.decode()
    assert "3 end users&#x27; places in its list" in asked
    assert "1 import with its report" in asked
    assert str(ListEntry.objects.first()) not in asked
    editor.post(page(segment, "delete"), {**agreed(editor, page(segment, "delete")), "name": "VIP"})
    assert ListEntry.objects.count() == 3
    editor.post(page(segment, "delete"), agreed(editor, page(segment, "delete")))
    assert not Segment.objects.exists()
    assert not ListEntry.objects.exists()
    assert EndUser.objects.count() == 3


def test_the_list_of_segments_shows_both_kinds(editor, brand, crowd):
    a_list(brand, crowd["ann"], name="Mine")
    Segment.objects.create(brand=brand, name="Ruled", rules={"version": 1, "rule": {"all": []}})
    shown = editor.get(reverse("admin:segments_segment_changelist")).content.decode()
    assert "New imported segment" in shown
    table = shown.split('id="result_list"')[1].split("</table>")[0]  # the filters beside it name every kind
    mine, ruled = (next(row for row in table.split("<tr") if name in row) for name in (">Mine<", ">Ruled<"))
    assert ("Imported list" in mine, "Whoever is in the list" in mine) == (True, True)
    assert "Imported list" not in ruled


def test_a_hostile_name_of_a_file_is_shown_as_text(editor, brand):
    segment = a_list(brand)
    name = "<img src=x onerror=alert(1)>.csv"
    editor.post(page(segment, "list_import"), {"mode": "add", "file": upload("zoe", name)})
    run(segment)
    shown = editor.get(page(segment)).content.decode()
    assert "<img src=x" not in shown
    assert "<img src=x" not in editor.get(page(segment, "list_progress")).json()["html"]


def looked_at(client, content, name="ids.csv"):
    address = reverse("admin:segments_segment_list_columns")
    return client.post(address, {"head": upload(content), "name": name}, **JSON)


def test_the_column_that_would_be_taken_is_shown_before_the_import(editor):
    answer = looked_at(editor, "id;External-User-ID\n1;ann\n2;bob\n")
    assert answer.json() == {
        "names": ["id", "External-User-ID"], "samples": [["1", "2"], ["ann", "bob"]], "column": 1, "header": True,
    }  # fmt: skip
    refused = looked_at(editor, b"PK\x03\x04" + b"x" * 50)
    assert refused.status_code == 400
    assert "Excel workbook" in refused.json()["problems"]["file"][0]
    assert looked_at(editor, "\n").json() == {"names": []}


@pytest.mark.parametrize(
    ("chosen", "matched"),
    [({"column": "1", "header": "on"}, {"ann"}), ({"column": "0"}, set()), ({}, {"bob"}), ({"column": "x"}, {"bob"})],
)
def test_the_chosen_column_is_imported_and_the_guess_without_a_choice(editor, brand, crowd, chosen, matched):
    segment = a_list(brand)
    file = upload("crm,code,user_id\n7,ann,bob\n")
    assert editor.post(page(segment, "list_import"), {"mode": "add", "file": file, **chosen}).status_code == 302
    run(segment)
    assert members(segment) == matched
