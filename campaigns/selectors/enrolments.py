"""Who is where."""

from django.db.models import QuerySet

from campaigns.models import Enrolment
from devices.models import EndUser


def enrolments_of(*, end_user: EndUser) -> QuerySet[Enrolment]:
    """An end user's runs, newest first, with campaign and version."""
    return (
        Enrolment.objects.filter(end_user=end_user, brand_id=end_user.brand_id)
        .select_related("campaign", "version")
        .order_by("-entered_at", "-pk")
    )
