"""What staff post to a campaign's pages."""

from django.urls import reverse

from tests.backoffice.conftest import client_of, ours, theirs  # noqa: F401


def campaign_url(name, campaign=None):
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk] if campaign else [])


def campaign_form(brand, **changes):
    return {
        "name": "New", "purpose": "marketing", "kind": "realtime", "trigger_event": "deposit", "segment": "",
        "entry_mode": "every_time", "entry_interval_0": "2", "entry_interval_1": "3600", "flow": "",
    } | changes  # fmt: skip
