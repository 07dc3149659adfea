"""Count what depends on a brand's VAPID keys."""

from devices.brands.selectors.consequences import MOST_COUNTED
from devices.installations.models import Device


def subscriptions_count(*, brand_id: int) -> int:
    """Count the browsers that can be reached with one of the brand's keys, MOST_COUNTED + 1 where there are more."""
    rows = Device.objects.filter(brand_id=brand_id, vapid_key__isnull=False).exclude(token_hash=None)
    return rows.values("pk").order_by()[: MOST_COUNTED + 1].count()
