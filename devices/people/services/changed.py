"""The queue of end users about whom something changed; triggers fill it, and segments evaluate them."""

from collections.abc import Iterable

from devices.brands.models import Brand
from devices.people.models import ChangedEndUser
from smartpush.common.database import statements

# The oldest of one brand leave the queue; what another process holds is left to it.
_TAKE = """
WITH next AS MATERIALIZED (
  SELECT id FROM devices_changedenduser WHERE brand_id = %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
DELETE FROM devices_changedenduser c USING next WHERE c.id = next.id
RETURNING c.end_user_id
"""


def changed_end_users_take(*, brand_id: int, most: int) -> list[int]:
    """Take up to `most` rows out of the brand's queue and return their end users, one for each row.

    Run it in the transaction that evaluates them: if that fails, they are there again.
    """
    return statements.column(_TAKE, [brand_id, most])


def changes_queue(*, brand_id: int) -> None:
    """Queue this brand's changes from now on (`Brand.noticed`)."""
    Brand.objects.filter(pk=brand_id, noticed=False).update(noticed=True)


def changes_queue_no_more(*, brand_id: int) -> None:
    """Queue this brand's changes no longer, and forget those that wait."""
    Brand.objects.filter(pk=brand_id, noticed=True).update(noticed=False)
    ChangedEndUser.objects.filter(brand_id=brand_id).delete()


def changes_queue_mend(*, watching: Iterable[int], most: int) -> int:
    """Let just these brands queue their changes; forget up to `most` rows of others, and return how many."""
    brands = sorted(set(watching))
    others = ChangedEndUser.objects.exclude(brand_id__in=Brand.objects.filter(noticed=True).values("pk"))
    ids = list(others.order_by("pk").values_list("pk", flat=True)[:most])
    forgotten = ChangedEndUser.objects.filter(pk__in=ids).delete()[0] if ids else 0
    Brand.objects.filter(noticed=False, pk__in=brands).update(noticed=True)
    Brand.objects.filter(noticed=True).exclude(pk__in=brands).update(noticed=False)
    return forgotten
