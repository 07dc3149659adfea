"""A push sent by hand is the one that was there when the page was opened, not what a colleague has saved since."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format

from assets.models import PushResource, PushRevision
from devices.models import Brand


class SeenRevisionForm(forms.Form):
    """Carries the newest revision of the brand's pushes as of the page; whichever is newer was not seen."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def newest_of(self, brand: Brand) -> None:
        """Fill the hidden field for a page that is opened now."""
        self.initial["seen"] = _newest(brand)

    def seen_check(self, push: PushResource) -> bool:
        """Whether the push's content was there when the page was opened; adds an error where it was not."""
        revision, seen = push.current_revision, self.cleaned_data.get("seen")
        if revision is None or seen is None or revision.pk <= seen:
            return True
        who = revision.created_by
        by = f" by {who.get_full_name() or who.get_username()}" if who is not None else ""
        at = date_format(timezone.localtime(revision.created_at), "H:i")
        self.add_error(
            None,
            f"Nothing was sent: “{push}” was edited{by} at {at}, after you opened this page. Look at it, then send it.",
        )
        posted: Any = self.data
        told = posted.copy()
        told["seen"] = _newest(push.brand)  # whoever sends again has been told
        self.data = told
        return False


def _newest(brand: Brand) -> int:
    newest = PushRevision.objects.filter(resource__brand=brand).order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0
