"""Every release so far can be brought to this one in the middle of its work, and nothing is lost."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group
from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from pytest_django import DjangoDbBlocker

from campaigns.drafts.reading import draft_read
from campaigns.models import Campaign, Enrolment, Launch, StepRun
from campaigns.selectors.audit import audit
from campaigns.services.publish import draft_problems
from devices.delivery.push_services.budgets import NATIVE_ORIGIN
from devices.lifecycle.brands import brand_resume
from devices.models import (
    BrandMembership,
    ConsentRecord,
    Delivery,
    DeliveryChunk,
    Device,
    Dispatch,
    Incident,
    PopupOffer,
    PushStatus,
    SendBudget,
    VapidKey,
)
from devices.pushservice.server import LocalPushService
from segments.models import MembershipChange, Segment, SegmentImport
from smartpush.common.crypto import decrypt
from tests.upgrades.dumps import dumps_kept
from tests.upgrades.running import Installation, installation

ROOT = Path(__file__).resolve().parents[2]
SOON = timedelta(minutes=2)
A_YEAR = timedelta(days=400)
SENT_AFTER_A_DELAY = [("delay", "done"), ("push", "sent"), ("stop", "done")]
DUMPS = dumps_kept()
each_release = pytest.mark.parametrize("path", DUMPS, ids=[path.name.removesuffix(".sql.gz") for path in DUMPS])


@pytest.fixture(scope="module")
def push_service() -> Iterator[LocalPushService]:
    with LocalPushService() as service:
        yield service


@pytest.fixture
def restored(push_service, django_db_blocker: DjangoDbBlocker):
    """Restores a dump into a database of this process's own."""
    push_service.reset()

    def restore(path: Path, *, after: timedelta = SOON) -> AbstractContextManager[Installation]:
        return installation(path=path, name=f"upgrades_{os.getpid()}", service=push_service, after=after)

    with django_db_blocker.unblock():
        yield restore


def rows(sql: str) -> list[tuple[Any, ...]]:
    """Read with SQL alone: the models are those of this commit, the tables may be older."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def deliveries(condition: str) -> dict[int, tuple[Any, ...]]:
    found = rows(
        "SELECT d.id, d.state, d.reason, d.hold_reason, d.finished_at, d.http_status, d.tries FROM devices_delivery d"
        f" JOIN devices_dispatch p ON p.id = d.dispatch_id WHERE {condition}"
    )
    return {row[0]: row[1:] for row in found}


def numbers(sql: str) -> set[int]:
    return {row[0] for row in rows(sql)}


def states_of(ids: set[int]) -> set[tuple[str, str]]:
    return set(Delivery.objects.filter(pk__in=ids).values_list("state", "reason"))


def findings(at: Installation, *, settled: bool = False) -> list[Any]:
    return [finding for finding in audit(now=at.now, settled=settled) if finding.count]


def outcomes(external_id: str) -> list[tuple[str, str]]:
    """Kind and outcome of each step that this person took, in order."""
    steps = StepRun.objects.filter(enrolment__end_user__external_id=external_id).order_by("enrolment", "step_seq")
    return list(steps.values_list("kind", "outcome"))


def test_each_release_but_the_newest_has_a_dump_and_so_may_that_one():
    released = re.findall(r"^## (\d+\.\d+\.\d+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    kept = [path.name.removesuffix(".sql.gz") for path in DUMPS]
    assert set(released[1:]) <= set(kept) <= set(released)
    assert kept


@each_release
def test_an_installation_goes_on_where_it_was(path, restored):
    with restored(path) as at:
        ended = deliveries("d.state NOT IN ('ready', 'sending')")
        unsure = {
            policy: set(deliveries(f"d.state = 'sending' AND p.policy = '{policy}'"))
            for policy in ("at_least_once", "at_most_once")
        }
        ready = set(deliveries("d.state = 'ready' AND d.hold_reason = '' AND d.next_attempt_at <= d.created_at"))
        held = {
            reason: set(deliveries(f"d.hold_reason = '{reason}' AND d.reason <> 'fcm_credentials_missing'"))
            for reason in ("breaker", "throttled", "failing", "retry", "unsure", "brand_stopped", "quiet_hours")
        }
        # A service that fails is waited for half a minute since 0.2.0, for longer before.
        lasting = numbers(
            "SELECT id FROM devices_delivery WHERE hold_reason IN ('throttled', 'failing', 'quiet_hours')"
            f" AND next_attempt_at > '{at.now:%Y-%m-%d %H:%M:%S}+00'"
        )
        # Since 0.2.0 a message that a limit holds before its try waits in its chunk, without a reason of its own.
        limited = ready & numbers(
            "SELECT d.id FROM devices_delivery d JOIN devices_enduser u ON u.id = d.end_user_id"
            " WHERE u.external_id LIKE 'held-throttled-%'"
        )
        no_account = set(deliveries("d.reason = 'fcm_credentials_missing'"))
        leased = numbers("SELECT id FROM devices_deliverychunk WHERE state = 'leased'")
        stopped = numbers("SELECT id FROM devices_brand WHERE sending_stopped_at IS NOT NULL")
        of_stopped = numbers(
            "SELECT d.id FROM devices_delivery d JOIN devices_brand b ON b.id = d.brand_id"
            " WHERE b.sending_stopped_at IS NOT NULL"
        )
        imports = dict(rows("SELECT id, state FROM segments_segmentimport"))
        assert all(unsure.values())
        assert all(held.values())
        assert all((ended, ready, no_account, leased, stopped))

        at.upgrade()
        at.work()

        assert findings(at) == []
        assert not OrmQ.objects.exists()
        assert deliveries("d.id IN (" + ",".join(map(str, ended)) + ")") == ended
        assert states_of(unsure["at_least_once"]) == {("accepted", "")}
        assert states_of(unsure["at_most_once"]) == {("unknown", "worker_lost")}
        assert states_of(ready - of_stopped - limited) == {("accepted", "")}
        assert states_of(limited) <= {("ready", "")}
        assert set(DeliveryChunk.objects.filter(pk__in=leased).values_list("state", flat=True)) == {"done"}
        assert states_of(held["retry"] | held["unsure"] | held["breaker"]) == {("accepted", "")}
        for reason in ("throttled", "failing", "quiet_hours", "brand_stopped"):
            waiting = Delivery.objects.filter(pk__in=held[reason], state="ready", hold_reason=reason)
            reached = waiting.filter(brand__apps__kind="web", origin=at.service.url).exists()
            assert reached or (reason == "failing" and not held[reason] & lasting), reason
        assert states_of(held["failing"] - lasting) <= {("accepted", "")}
        people_go_on(at)
        imports_go_on(imports)

        for brand_id in stopped:
            brand_resume(brand_id=brand_id)
        at.work_to_the_end()

        assert findings(at, settled=True) == []
        went_out = set().union(ready, *held.values()) - unsure["at_most_once"]
        assert states_of(went_out) == {("accepted", "")}
        assert states_of(no_account) == {("expired", "fcm_credentials_missing")}
        assert deliveries("d.id IN (" + ",".join(map(str, ended)) + ")") == ended
        assert not Enrolment.objects.filter(state="active").exists()
        assert not PopupOffer.objects.filter(finished_at=None).exists()
        assert outcomes("popup-shown") == [("popup", "no_answer")]
        assert outcomes("popup-pending") == outcomes("popup-leased") == [("popup", "expired")]
        assert outcomes("popup-allowed") == [("popup", "allowed"), *SENT_AFTER_A_DELAY]


def people_go_on(at: Installation) -> None:
    """Those who were inside an activity have left it as they would have without an upgrade."""
    assert outcomes("about-to-stop") == [("push", "sent"), ("stop", "done")]
    assert outcomes("about-to-be-sent") == [("push", "sent"), ("stop", "done")]
    asked = Enrolment.objects.get(end_user__external_id="about-to-be-asked")
    assert (asked.state, asked.waiting_for) == ("active", "popup")
    assert PopupOffer.objects.get(enrolment_id=asked.pk).state == "pending"
    assert Enrolment.objects.get(end_user__external_id="inside-paused").state == "done"
    assert outcomes("inside-paused") == SENT_AFTER_A_DELAY
    assert outcomes("inside-disabled") == outcomes("inside-archived") == []
    assert outcomes("popup-allowed") == [("popup", "allowed")]
    assert not MembershipChange.objects.filter(taken_at=None).exists()
    flows_are_read(at)
    assert {run.end_user.external_id for run in Enrolment.objects.filter(campaign__name="Farewell VIP")} == {"vip-told"}
    assert {run.end_user.external_id for run in Enrolment.objects.filter(campaign__name="Hello VIP")} == {
        "vip-told",
        "vip-not-told",
        "vip-not-judged",
    }
    half = Campaign.objects.get(name="Half let in")
    assert half.state == "executed"
    assert not Launch.objects.filter(campaign=half, finished_at=None).exists()
    assert Enrolment.objects.filter(campaign=half).count() == 5


def flows_are_read(at: Installation) -> None:
    """Drafts, their history and versions are of today's version, and every step knows its settings."""
    assert rows("SELECT count(*) FROM campaigns_campaign WHERE flow <> '{}' AND flow->>'version' <> '2'") == [(0,)]
    assert rows("SELECT count(*) FROM campaigns_historicalcampaign WHERE flow <> '{}' AND flow->>'version' <> '2'") == [
        (0,)
    ]
    assert rows("SELECT count(*) FROM campaigns_campaignversion WHERE graph->>'version' <> '2'") == [(0,)]
    assert rows("SELECT count(*) FROM campaigns_versionstep WHERE settings = '{}' AND kind <> 'stop'") == [(0,)]
    for campaign in Campaign.objects.all():
        assert not [
            one
            for one in draft_problems(draft=draft_read(campaign=campaign, now=at.now), now=at.now)
            if one.code == "malformed"
        ], campaign


def imports_go_on(before: dict[int, str]) -> None:
    """Imports end as they would have; the one that asks a colleague goes on asking."""
    becomes = {"waiting": "done", "running": "done", "receiving": "failed"}
    now = dict(SegmentImport.objects.values_list("pk", "state"))
    assert now == {number: becomes.get(state, state) for number, state in before.items()}


@each_release
def test_an_installation_that_was_off_for_a_year_ends_what_it_had_begun(path, restored):
    with restored(path, after=A_YEAR) as at:
        under_way = set(deliveries("d.state IN ('ready', 'sending')"))
        ended = deliveries("d.state NOT IN ('ready', 'sending')")
        inside = numbers("SELECT id FROM campaigns_enrolment WHERE state = 'active'")
        newest = max(under_way | set(ended))
        at.upgrade()
        at.work_to_the_end()
        assert findings(at, settled=True) == []
        assert {state for state, _ in states_of(under_way)} == {"expired", "unknown"}
        assert all(reason for _, reason in states_of(under_way))
        assert deliveries("d.id IN (" + ",".join(map(str, ended)) + ")") == ended
        # What was to be sent later is sent late; nothing that was written then goes out now.
        assert Delivery.objects.filter(pk__gt=newest, state="accepted").exists()
        assert Campaign.objects.get(name="To come").state == "executed"
        assert Campaign.objects.get(name="Halted").state == "paused"
        assert set(Enrolment.objects.filter(pk__in=inside).values_list("state", flat=True)) == {"done"}


def test_holds_of_0_1_0_go_on_for_a_day_at_most_under_the_key_that_they_are_about(restored):
    with restored(next(path for path in DUMPS if path.name == "0.1.0.sql.gz")) as at, connection.cursor() as cursor:
        # The migration goes by the database's clock, which does not stand still.
        cursor.execute("UPDATE devices_sendhold SET until = now() + interval '5 days' WHERE kind <> 'failing'")
        before = rows("SELECT brand_id, origin, kind FROM devices_sendhold WHERE kind <> 'failing'")
        assert {kind for _, _, kind in before} == {"breaker", "throttled"}
        assert any(origin.startswith("fcm:") for _, origin, _ in before)
        at.upgrade()
        for brand_id, origin, kind in before:
            carried = SendBudget.objects.filter(brand_id=brand_id, kind=kind, origin__in=[origin, NATIVE_ORIGIN])
            if not origin.startswith("fcm:"):
                keys = {f"vapid:{key.pk}" for key in VapidKey.objects.filter(brand_id=brand_id)}
                assert set(carried.values_list("sender", flat=True)) == keys
            assert Incident.objects.filter(brand_id=brand_id, subject=origin, until=None).exists()
        cursor.execute("SELECT count(*) FROM devices_sendbudget WHERE held_until > now() + interval '1 day'")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("path", [path for path in DUMPS if path.name < "0.3.0"], ids=lambda path: path.name[:5])
def test_languages_that_were_kept_as_sent_get_their_canonical_tags(path, restored):
    spoken = {"nb-NO": "no-Latn-NO", "zh-TW": "zh-Hant-TW", "iw": "he-Hebr", "und": "", "": None}
    with restored(path) as at, connection.cursor() as cursor:
        for table in ("devices_enduser", "devices_device"):
            tags = ",".join(f"'{tag}'" for tag in spoken)
            cursor.execute(f"UPDATE {table} SET language = (ARRAY[{tags}])[1 + id % {len(spoken)}]")
        at.upgrade()
        for table in ("devices_enduser", "devices_device"):
            found = rows(f"SELECT DISTINCT language, language_canonical FROM {table}")
            assert set(found) <= set(spoken.items())
            assert len(found) > 1


@each_release
def test_names_that_are_stored_in_rows_resolve(path, restored):
    with restored(path) as at:
        # SendHold, of release 0.1.0, is the one model that was dropped, and its permissions with it.
        dropped = "SELECT id FROM django_content_type WHERE model = 'sendhold'"
        kinds = numbers(f"SELECT id FROM django_content_type WHERE id NOT IN ({dropped})")
        allowed = numbers(f"SELECT id FROM auth_permission WHERE content_type_id NOT IN ({dropped})")
        given = numbers("SELECT permission_id FROM auth_group_permissions") & allowed
        jobs = [SignedPackage.loads(payload)["func"] for (payload,) in rows("SELECT payload FROM django_q_ormq")]
        heavy = "segments.tasks.do_works" if path.name < "0.3.0" else "segments.tasks.run_work"
        assert set(jobs) >= {"devices.tasks.send_chunk", "segments.tasks.run_import", heavy}
        assert all((kinds, allowed, given))
        at.upgrade()
        models = rows("SELECT id, app_label, model FROM django_content_type")
        permissions = rows(
            "SELECT p.id, t.app_label, t.model, p.codename FROM auth_permission p"
            " JOIN django_content_type t ON t.id = p.content_type_id"
        )
        assert set(kinds) <= {number for number, *_ in models}
        assert set(allowed) <= {number for number, *_ in permissions}
        assert all(callable(import_string(name)) for name in jobs)
        for _, label, model in models:
            assert apps.get_model(label, model) is not None
        for _, label, model, codename in permissions:
            about = apps.get_model(label, model)._meta
            known = {get_permission_codename(action, about) for action in about.default_permissions}
            assert codename in known | {name for name, _ in about.permissions}
        kept = {permission.pk for group in Group.objects.all() for permission in group.permissions.all()}
        assert kept == given
        for key in VapidKey.objects.all():
            assert decrypt(key.private_key_encrypted)


SCHEMA = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": """
        SELECT '', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace""",
    "sequences": "SELECT '', sequencename, increment_by, cache_size FROM pg_sequences WHERE schemaname = 'public'",
    "migrations": "SELECT '', app, name FROM django_migrations",
}
MONTH = re.compile(r"_p\d{4}_\d{2}")
# PostgreSQL writes the same cast in another place when it has read its own text once more.
CASTS = re.compile(r"::(character varying|text)(\[\])?|[()]")


def schema() -> dict[str, set[tuple[Any, ...]]]:
    """Everything that a table is, without the partitions of months, which come and go."""
    return {
        part: {
            tuple(CASTS.sub("", str(value)) for value in row)
            for row in rows(sql)
            if not any(MONTH.search(str(name)) for name in row[:2])
        }
        for part, sql in SCHEMA.items()
    }


@pytest.mark.django_db(transaction=True)
@each_release
def test_an_upgraded_database_has_the_tables_of_a_new_one(path, restored):
    new = schema()
    with restored(path) as at:
        at.upgrade()
        upgraded = schema()
    for part, found in upgraded.items():
        assert sorted(found - new[part], key=str) == sorted(new[part] - found, key=str) == [], part


# Of each value of these the scene has an example.
EXAMPLES = [
    (BrandMembership, "role"),
    (Campaign, "entry_mode"),
    (Campaign, "kind"),
    (Campaign, "state"),
    (Campaign, "trigger_kind"),
    (ConsentRecord, "by"),
    (ConsentRecord, "subject"),
    (Delivery, "state"),
    (DeliveryChunk, "lane"),
    (DeliveryChunk, "state"),
    (Device, "platform"),
    (Dispatch, "policy"),
    (Dispatch, "purpose"),
    (Dispatch, "state"),
    (Enrolment, "state"),
    (PopupOffer, "state"),
    (PushStatus, "status"),
    (Segment, "kind"),
    (SegmentImport, "mode"),
    (SegmentImport, "state"),
    (SendBudget, "kind"),
]


@pytest.mark.timeout(900)  # every migration once more, in a process of its own: minutes where cores are wanted by many
def test_the_next_dump_can_be_made_and_has_an_example_of_everything(tmp_path, restored):
    command = [sys.executable, "-m", "tests.upgrades.make", "9.9.9", "--into", str(tmp_path)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    path = tmp_path / "9.9.9.sql.gz"
    assert path.stat().st_size < 300_000
    with restored(path):
        for model, field in EXAMPLES:
            found = set(model._default_manager.order_by().values_list(field, flat=True).distinct())
            assert found >= set(dict(model._meta.get_field(field).flatchoices)), (model, field)
