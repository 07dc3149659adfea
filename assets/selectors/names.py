"""What marketers call the content of a push or popup that was sent."""

from collections.abc import Iterable

from assets.models import PopupRevision, PushRevision


def push_names(revision_ids: Iterable[int]) -> dict[int, str]:
    """The resource name of each push revision."""
    return dict(PushRevision.objects.filter(pk__in=set(revision_ids)).values_list("pk", "resource__name"))


def popup_names(revision_ids: Iterable[int]) -> dict[int, str]:
    """The resource name of each popup revision."""
    return dict(PopupRevision.objects.filter(pk__in=set(revision_ids)).values_list("pk", "resource__name"))
