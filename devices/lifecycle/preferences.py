"""An end user's choices: categories, and the two opt-outs that never overwrite each other.

`platform_opt_out` is the platform's word (the server API), `user_opt_out` the end user's own, or what staff wrote down
for them. Waiting messages are not cancelled by an opt-out: the gate checks each again before it is sent, in one place,
together with the brand's exception for operational messages, and the delivery ends as suppressed with `opted_out`.
Popups that are open are ended at once: a tab may be showing one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from django.db import transaction

from devices.lifecycle.consents import Asked, consent_record
from devices.people.models import ConsentRecord, EndUser
from devices.people.selectors.categories import categories_in_use
from devices.people.selectors.preferences import opt_out_is_own_word
from devices.people.services.markers import markers_change
from devices.popups.offers import offers_withdraw

By = Literal["end_user", "staff", "platform"]


class CategoryUnknown(Exception):
    """The brand has no category in use with this marker."""

    def __init__(self, *, marker: str) -> None:
        super().__init__(f"There is no push category {marker[:64]!r}.")
        self.marker = marker


class OptedOutThemselves(Exception):
    """The opt-out is the end user's own word, which not every member of staff may lift."""


def ticks_apply(*, end_user_id: int, ticks: Mapping[str, bool]) -> list[str]:
    """Add the ticked markers to the JS markers and remove the unticked; returns the set.

    Raises CannotChangeMarkers when there would be too many.
    """
    ticked = [marker for marker, on in ticks.items() if on]
    unticked = [marker for marker, on in ticks.items() if not on]
    with transaction.atomic():
        markers_change(end_user_id=end_user_id, operation="remove", markers=unticked)
        return markers_change(end_user_id=end_user_id, operation="add", markers=ticked)


@transaction.atomic
def preferences_save(
    *,
    brand_id: int,
    end_user_id: int,
    asked: Asked,
    now: datetime,
    ticks: Mapping[str, bool] | None = None,
    opted_out: bool | None = None,
) -> None:
    """Write what an end user chose and keep the answer as proof; None leaves that part as it is.

    Raises CategoryUnknown, CannotChangeMarkers.
    """
    if ticks is not None:
        known = {row.marker for row in categories_in_use(brand_id=brand_id)}
        wrong = next((marker for marker in ticks if marker not in known), None)
        if wrong is not None:
            raise CategoryUnknown(marker=wrong)
        markers = ticks_apply(end_user_id=end_user_id, ticks=ticks)
        consent_record(
            brand_id=brand_id,
            end_user_id=end_user_id,
            subject=ConsentRecord.Subject.PREFERENCES,
            answer="saved",
            at=now,
            asked=asked,
            markers=[marker for marker in markers if marker in known],
        )
    if opted_out is not None:
        opt_out_set(end_user_id=end_user_id, opted_out=opted_out, by="end_user", asked=asked, now=now)


@transaction.atomic
def opt_out_set(*, end_user_id: int, opted_out: bool, by: By, now: datetime, asked: Asked | None = None) -> bool:
    """Write one of the two opt-outs, the platform's or the end user's, and keep it as proof; False if it was so before.

    The other one stays as it is. An end user's own word is kept each time; the platform's and staff's when it changes.
    """
    field = "platform_opt_out" if by == "platform" else "user_opt_out"
    end_user = EndUser.objects.select_for_update(no_key=True).only("pk", "brand_id", field).get(pk=end_user_id)
    changed = getattr(end_user, field) != opted_out
    if changed:
        setattr(end_user, field, opted_out)
        end_user.save(update_fields=[field])
    if opted_out:
        offers_withdraw(end_user_ids=[end_user_id], now=now)
    if changed or by == "end_user":
        consent_record(
            brand_id=end_user.brand_id,
            end_user_id=end_user_id,
            subject=ConsentRecord.Subject.OPT_OUT,
            answer="opted_out" if opted_out else "opted_in",
            at=now,
            asked=asked or Asked(),
            by=by,
        )
    return changed


@transaction.atomic
def opt_out_lift(*, end_user_id: int, own_word_too: bool, now: datetime) -> bool:
    """Staff let somebody be reached again; False if they were not opted out. The platform's opt-out stays.

    Without `own_word_too` only an opt-out that staff wrote is lifted: raises OptedOutThemselves. One that nothing is
    recorded of counts as the end user's own.
    """
    end_user = EndUser.objects.select_for_update(no_key=True).only("pk", "user_opt_out").get(pk=end_user_id)
    if not own_word_too and opt_out_is_own_word(end_user=end_user):
        raise OptedOutThemselves
    return opt_out_set(end_user_id=end_user_id, opted_out=False, by="staff", now=now)
