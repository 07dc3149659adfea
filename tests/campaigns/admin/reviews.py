"""Publishing as people do it: open the review, then press its button."""

from django.urls import reverse

from campaigns.models import Campaign


def review_of(client, campaign):
    """Open the review and return what its button sends."""
    page = client.get(reverse("admin:campaigns_campaign_review", args=[campaign.pk]))
    assert page.status_code == 200
    return {"reviewed": page.context["reviewed"]}


def activate(client, campaign, seen=None):
    """Send what the review's button sends; `seen` is from a review that was opened before."""
    seen = review_of(client, campaign) if seen is None else seen
    return client.post(reverse("admin:campaigns_campaign_activate", args=[campaign.pk]), seen)


def state_of(campaign):
    """The campaign's state in the database."""
    return Campaign.objects.values_list("state", flat=True).get(pk=campaign.pk)
