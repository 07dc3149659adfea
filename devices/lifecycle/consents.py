"""What end users were asked and what they answered, kept as proof; and what taking a consent back does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from devices.delivery.models import PopupOffer
from devices.delivery.popup_outcomes import OPEN
from devices.delivery.services.cancelling import device_cancel
from devices.installations.models import Device
from devices.installations.tokens import token_clear
from devices.people.models import ConsentRecord

WITHDRAWN = "consent_withdrawn"
# Nobody was asked before: a clock that says so was never set. No days back from now, for pages tell an old answer anew.
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """Where and in which words somebody was asked: the device, the language, the site's origin or the app's id."""

    device_id: int | None = None
    language: str = ""
    origin: str = ""


def consent_record(
    *,
    brand_id: int,
    end_user_id: int,
    subject: str,
    answer: str,
    at: datetime,
    asked: Asked,
    by: str = "end_user",
    popup_revision_id: int | None = None,
    offer_id: int | None = None,
    markers: Sequence[str] = (),
) -> None:
    """Keep one answer; rows are only ever inserted."""
    ConsentRecord.objects.create(
        brand_id=brand_id,
        end_user_id=end_user_id,
        device_id=asked.device_id,
        subject=subject,
        answer=answer,
        by=by,
        popup_revision_id=popup_revision_id,
        offer_id=offer_id,
        language=asked.language,
        origin=asked.origin[:255],
        markers=sorted(markers),
        at=at,
    )


def tracking_answer(*, device: Device, given: bool, at: datetime, asked: Asked, now: datetime) -> None:
    """Keep the answer to whether the site may use smartpush on this device; a withdrawal ends all pushes to it.

    `at` is the client's clock, never later than `now` nor before EARLIEST; the same answer told again is kept once.
    `device` must be locked by the caller.
    """
    answer, at = "given" if given else "withdrawn", max(min(at, now), EARLIEST)
    told = ConsentRecord.objects.filter(
        end_user_id=device.session_end_user_id,
        device_id=device.pk,
        subject=ConsentRecord.Subject.TRACKING,
        answer=answer,
        at=at,
    )
    if not told.exists():
        consent_record(
            brand_id=device.brand_id,
            end_user_id=device.session_end_user_id,
            subject=ConsentRecord.Subject.TRACKING,
            answer=answer,
            at=at,
            asked=asked,
        )
    if not given:
        _withdraw(device=device, now=now)


def _withdraw(*, device: Device, now: datetime) -> None:
    """Nothing goes to this browser any more, whoever it was for: its subscription is about to be removed."""
    device_cancel(device_id=device.pk, reason=WITHDRAWN, now=now)
    # The permission in the browser is what it was, so the statuses stay; without a token nobody is reached here.
    token_clear(device=device, reason=WITHDRAWN, now=now)
    PopupOffer.objects.filter(device_id=device.pk, state__in=OPEN).update(
        state=PopupOffer.State.CANCELLED, finished_at=now
    )
