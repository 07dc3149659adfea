"""What load balancers and Prometheus ask."""

from smartpush import __version__


def test_healthz_asks_nobody_and_says_which_release_runs(client):
    """Without the database: a test that has none would fail."""
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}


def test_metrics_are_not_for_everyone_in_production(client, settings):
    settings.DEVELOPMENT = False
    assert client.get("/metrics").status_code == 404


def test_metrics_want_the_token_where_there_is_one(client, settings):
    settings.SMARTPUSH_METRICS_TOKEN = "s3cret"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer s3cret"})
    assert answer.status_code == 200
    assert b"django_http_requests" in answer.content
