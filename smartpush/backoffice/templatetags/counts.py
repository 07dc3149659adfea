"""Write numbers with their nouns: `{{ size|counted:"end user" }}`, `{{ total|counted:"entry,entries" }}`."""

from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList

from smartpush.common import numbers

register = template.Library()


@register.filter
def counted(number: int | None, forms: str) -> str:
    """Say how many there are; `forms` is the singular, with the plural after a comma where it is not just an s more."""
    one, _, many = forms.partition(",")
    return numbers.counted(number=number or 0, one=one, many=many)


@register.filter
def noun(number: int | None, forms: str) -> str:
    """Return the singular or the plural for a number that stands apart from it; `forms` as for `counted`."""
    one, _, many = forms.partition(",")
    return numbers.noun(number=number or 0, one=one, many=many)


@register.simple_tag
def listed_noun(changelist: ChangeList) -> str:
    """Return what a list's rows are called beside their number.

    The seed's word for the list may be no plural (*Push*): `counted_as` of the admin has both forms then.
    """
    model_admin: Any = changelist.model_admin
    one, many = getattr(model_admin, "counted_as", (None, None))
    opts = changelist.opts
    capped = getattr(changelist.paginator, "capped", False)
    return numbers.noun(
        number=2 if capped else changelist.result_count,
        one=one or str(opts.verbose_name),
        many=many or str(opts.verbose_name_plural),
    )
