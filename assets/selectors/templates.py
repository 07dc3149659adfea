"""Personalised texts that could not be saved today: written before a limit, or past the checks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import QuerySet

from assets.models import PopupRevision, PushRevision, PushVariant
from smartpush.common.personalisation import check_message, check_rendering, check_template, is_template

_PUSH_TEXTS = ("title", "message", "click_url", "deep_link")
_PUSH_PLAIN = ("icon", "image", "badge")
_POPUP_TEXTS = ("title", "text", "image", "subscribe_label", "later_label", "close_label")
_NOT_HERE = "Only the texts and addresses of a push are personalised; this is shown as it stands."


RevisionT = TypeVar("RevisionT", PushRevision, PopupRevision)


@dataclass(frozen=True, slots=True)
class FaultyText:
    """One text of a revision and what is wrong with it; `language` is empty for what all languages share."""

    revision: PushRevision | PopupRevision
    language: str
    field: str
    problem: str

    @property
    def is_current(self) -> bool:
        """Whether it is what the editor shows, so that it is mended by saving."""
        return self.revision.resource.current_revision_id == self.revision.pk


def faulty_texts(*, pushes: Iterable[int], popups: Iterable[int]) -> Iterator[FaultyText]:
    """Go through these revisions, every language and every text and address; what is wrong, in their order."""
    for push in _rows(PushRevision.objects.filter(pk__in=set(pushes))):
        for row in sorted(push.variants.all(), key=lambda row: row.language):
            for field, problem in _push_problems(row):
                yield FaultyText(push, row.language, field, problem)
    for popup in _rows(PopupRevision.objects.filter(pk__in=set(popups))):
        if is_template(popup.primary_url):
            yield FaultyText(popup, "", "primary_url", _NOT_HERE)
        for shown in sorted(popup.variants.all(), key=lambda row: row.language):
            for field in _POPUP_TEXTS:
                if is_template(getattr(shown, field)):
                    yield FaultyText(popup, shown.language, field, _NOT_HERE)


def _rows(found: QuerySet[RevisionT]) -> Iterator[RevisionT]:
    found = found.select_related("resource__brand").prefetch_related("variants")
    return found.order_by("resource__brand__name", "resource__name", "number").iterator(chunk_size=200)


def _push_problems(row: PushVariant) -> Iterator[tuple[str, str]]:
    texts = {name: getattr(row, name) for name in _PUSH_TEXTS}
    for number, button in enumerate(row.buttons, 1):
        texts |= {f"button {number} {name}": button.get(name, "") for name in ("title", "url", "deep_link")}
    found = False
    for field, text in texts.items():
        problems = [str(problem) for problem in check_template(text)]
        failure = check_rendering(text) if not problems else None
        for problem in [*problems, *([failure] if failure is not None else [])]:
            found = True
            yield field, problem
    costly = check_message(texts) if not found else None
    if costly is not None:
        yield costly
    for field in _PUSH_PLAIN:
        if is_template(getattr(row, field)):
            yield field, _NOT_HERE
