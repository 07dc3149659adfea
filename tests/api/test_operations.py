"""What load balancers and Prometheus ask."""

from datetime import UTC, datetime

import pytest

from devices.brands.services.incidents import incident_end, incident_note
from smartpush import __version__


def test_healthz_asks_nobody_and_says_which_release_runs(client):
    """Without the database: a test that has none would fail."""
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}


def test_metrics_are_not_for_everyone_in_production(client, settings):
    settings.DEVELOPMENT = False
    assert client.get("/metrics").status_code == 404


@pytest.mark.django_db
def test_metrics_want_the_token_where_there_is_one(client, settings):
    settings.SMARTPUSH_METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer s3cret"})
    assert answer.status_code == 200
    assert b"django_http_requests" in answer.content


@pytest.mark.django_db
def test_metrics_count_the_open_incidents_of_each_kind(client, settings):
    settings.DEVELOPMENT = True
    now = datetime.now(UTC)
    for subject in ("https://a.example", "https://b.example"):
        incident_note(kind="service_silent", brand_id=None, subject=subject, now=now)
    incident_note(kind="key_refused", brand_id=None, subject="https://a.example", now=now)
    incident_end(kind="key_refused", brand_id=None, subject="https://a.example", now=now)
    told = client.get("/metrics").content.decode()
    assert 'smartpush_incidents_open{kind="service_silent"} 2.0' in told
    assert 'smartpush_incidents_open{kind="key_refused"} 0.0' in told
