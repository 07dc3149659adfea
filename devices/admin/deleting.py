"""What may be deleted by hand, decided for each model in one place, and the page that asks with the numbers.

Each admin and each inline declares `deleting`. Whoever declares nothing deletes nothing. Django's own confirmation,
which loads every row that would go, is never reached (docs/adr/0015).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from devices.brands.selectors.consequences import any_taken, number_words, taken_counts
from devices.brands.services.deleting import CannotDelete, Numbers, NumbersChanged, row_delete
from devices.models import Brand
from smartpush.common.numbers import noun

_CHANGED = "The numbers have changed meanwhile; nothing was done. Look at them again."
_REASON_LENGTH = 100  # of a historical record


@dataclass(frozen=True, slots=True)
class Named:
    """A table and what a page calls its rows."""

    model: type[Model]
    one: str
    many: str

    def words(self, number: int) -> str:
        """Say how many there are: `12,345 devices`."""
        return f"{number_words(number)} {noun(number=number, one=self.one, many=self.many)}"


@dataclass(frozen=True, slots=True)
class Never:
    """It is not deleted by hand; `instead` says what to do, or why not, `done` what is done: archived, revoked."""

    instead: str
    done: str = ""


@dataclass(frozen=True, slots=True)
class Asks:
    """A page asks first.

    takes: what goes with it. It is counted, agreed to by number, and written into the history; where there is any, the
        name has to be typed.
    records: tables of what smartpush itself noted about the row, which mean nothing without it.
    bars: what it is never deleted with; `instead` says what to do then.
    typed: whether the name has to be typed also where nothing else goes.
    means: what deleting it does besides.
    """

    takes: tuple[Named, ...] = ()
    records: tuple[type[Model], ...] = ()
    bars: tuple[Named, ...] = ()
    instead: str = ""
    typed: bool = False
    means: str = ""


@dataclass(frozen=True, slots=True)
class WithItsForm:
    """A row of an inline that is a setting of its parent: ticking *Delete* and saving the form deletes it.

    Nothing goes with it but `records`.
    """

    records: tuple[type[Model], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its numbers. `seen` is what the answer has to name again; `name`: what has to be typed."""

    title: str
    explanation: str
    button: str
    back: str
    numbers: tuple[str, ...] = ()
    seen: str = ""
    name: str = ""
    problem: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)

    def answered(self, request: HttpRequest) -> str:
        """Return what is wrong with the answer; empty where it is a yes to just these numbers."""
        if request.POST.get("seen", "") != self.seen:
            return _CHANGED
        if self.name and _spaced(request.POST.get("name", "")) != _spaced(self.name):
            return f"Type the name exactly as it stands here: {self.name}"
        return ""


def _spaced(text: str) -> str:
    return " ".join(text.split())


def question_page(
    model_admin: Any, request: HttpRequest, row: Any, question: Question, *, status: int = 200
) -> HttpResponse:
    """Show the question."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "opts": model_admin.opts,
        "original": row,
        "question": question,
        "typed": request.POST.get("name", ""),
        "is_popup": IS_POPUP_VAR in request.GET or IS_POPUP_VAR in request.POST,
        **question.context,
    }
    return TemplateResponse(request, "shared/question.html", context, status=status)


class DecidedDeleting(ModelAdmin):
    """An admin that deletes only as its `deleting` says, one row at a time."""

    deleting: Never | Asks = Never("It is not deleted by hand.")

    # --- the ways of Django that ask nothing, or load what they ask about ---
    def get_actions(self, request: HttpRequest) -> Any:
        """Without *Delete selected*: each row is asked about by itself."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Refuse: it would load everything that hangs on the rows."""
        raise PermissionDenied("Rows are deleted one at a time, from their own page.")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Refuse: nothing is deleted in bulk."""
        raise PermissionDenied("Rows are deleted one at a time, from their own page.")

    # --- what a model may have otherwise ---
    def name_to_type(self, obj: Any) -> str:
        """Return the name that is typed to agree."""
        return str(obj)

    def delete_row(self, request: HttpRequest, obj: Any, agreed: Numbers) -> Numbers:
        """Delete it and return what went; raises CannotDelete, NumbersChanged, ProtectedError."""
        return row_delete(row=obj, agreed=agreed)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Refuse: `delete_row` is the way, with the numbers that were agreed to."""
        raise PermissionDenied("Rows are deleted from their own page, with the numbers.")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Without a button that leads to a refusal."""
        obj, rule = kwargs.get("obj"), self.deleting
        if obj is not None and isinstance(rule, Asks) and rule.bars and self.has_delete_permission(request, obj):
            context["show_delete"] = not any_taken(row=obj, models=[named.model for named in rule.bars])
        return super().render_change_form(request, context, *args, **kwargs)

    # --- the page ---
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask with the numbers, and delete when the answer names them."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        never = self.never_deleted(obj)
        if never is not None:
            return self._never(request, obj, never)
        rule = self.deleting
        assert isinstance(rule, Asks)  # the other kinds are never deleted on a page of their own
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        problem = ""
        if request.method == "POST" and "seen" in request.POST:
            question, agreed = self._with_numbers(request, obj, rule)
            problem = question.answered(request)
            if question.button and not problem:
                try:
                    return self._deleted(request, obj, rule, agreed)
                except NumbersChanged:
                    problem = _CHANGED
                except CannotDelete as refusal:
                    problem = str(refusal)
                except ProtectedError:
                    problem = "Something uses it. Choose another there first."
                obj = self.get_object(request, unquote(object_id)) or obj
        question, _ = self._with_numbers(request, obj, rule)
        refused = bool(problem) or not question.button
        return question_page(self, request, obj, replace(question, problem=problem), status=409 if refused else 200)

    def never_deleted(self, obj: Any) -> Never | None:
        """Return why this row is never deleted, if it is not."""
        return self.deleting if isinstance(self.deleting, Never) else None

    def instead_of_deleting(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        """Return `instead_url` and `instead_label` of the page that does what is done instead, where they may."""
        return {}

    def _never(self, request: HttpRequest, obj: Any, never: Never) -> HttpResponse:
        """Say what is so, with the way to what can be done: 403, whoever asks."""
        if not self.has_view_permission(request, obj):
            raise PermissionDenied(never.instead)
        one, many = str(self.opts.verbose_name), str(self.opts.verbose_name_plural)
        what = f"{many[:1].upper()}{many[1:]} are" if many != one else f"A {one} is"
        question = Question(
            title=f"{what} {never.done}, not deleted" if never.done else f"{what} not deleted",
            explanation=never.instead,
            button="",
            back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk]),
            context=self.instead_of_deleting(request, obj),
        )
        return question_page(self, request, obj, question, status=403)

    def _with_numbers(self, request: HttpRequest, obj: Any, rule: Asks) -> tuple[Question, Numbers]:
        """Return the question, without a button where something bars the way, and the numbers it stands on."""
        counts = taken_counts(row=obj, models=[named.model for named in (*rule.takes, *rule.bars)])
        bars = _words(rule.bars, counts)
        return self._undeletable(request, obj, rule, bars) if bars else self._question(obj, rule, counts), counts

    def _question(self, obj: Any, rule: Asks, counts: Numbers) -> Question:
        takes = _words(rule.takes, counts)
        said = [rule.means] if rule.means else []
        said.append("What goes with it, for good:" if takes else "Nothing else goes with it.")
        kind = self.opts.verbose_name
        return Question(
            title=f"Delete the {kind} “{obj}”?",
            explanation=" ".join(said),
            button=f"Delete the {kind}",
            back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk]),
            numbers=takes,
            seen=",".join(f"{model._meta.label_lower}:{number}" for model, number in counts.items() if number),
            name=self.name_to_type(obj) if takes or rule.typed else "",
        )

    def _undeletable(self, request: HttpRequest, obj: Any, rule: Asks, numbers: tuple[str, ...]) -> Question:
        return Question(
            title=f"“{obj}” cannot be deleted",
            explanation=f"{rule.instead} What would go with it:",
            button="",
            back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk]),
            numbers=numbers,
            context=self.undeletable_context(request, obj),
        )

    def undeletable_context(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        """Return `instead_url` and `instead_label`, where a page does what to do instead."""
        return {}

    def _deleted(self, request: HttpRequest, obj: Any, rule: Asks, agreed: Numbers) -> HttpResponse:
        key, shown, brand = obj.pk, str(obj), self.deleted_from(obj)
        with transaction.atomic():
            gone = self.delete_row(request, obj, agreed)
            obj.pk = key  # the entry of the log names it
            told = _told(f"Deleted the {self.opts.verbose_name} “{shown}”", _words(rule.takes, gone))
            user: Any = request.user
            LogEntry.objects.log_actions(user.pk, [obj], DELETION, told)
            if brand is not None:
                deletion_note(user, brand, f"{self.opts.verbose_name} “{shown}”", _words(rule.takes, gone))
        if IS_POPUP_VAR in request.POST:
            return self.response_delete(request, shown, key)
        messages.success(request, told)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def deleted_from(self, obj: Any) -> Brand | None:
        """Return the brand whose history says what went."""
        return None


def _words(named: tuple[Named, ...], counts: Numbers) -> tuple[str, ...]:
    return tuple(one.words(counts[one.model]) for one in named if counts.get(one.model))


def _told(what: str, numbers: tuple[str, ...]) -> str:
    return f"{what}, and with it {', '.join(numbers)}." if numbers else f"{what}."


def deletion_note(user: Any, brand: Brand, what: str, numbers: tuple[str, ...]) -> None:
    """Write into the brand's history and log that something of it was deleted, with the numbers; names may be cut."""
    LogEntry.objects.log_actions(user.pk, [brand], CHANGE, _told(f"Deleted the {what}", numbers))
    tail = f": {', '.join(numbers)}" if numbers else ""
    head = Truncator(f"Deleted the {what}").chars(max(20, _REASON_LENGTH - len(tail)))
    Brand.history.bulk_history_create(
        [brand], update=True, default_user=user, default_change_reason=f"{head}{tail}"[:_REASON_LENGTH]
    )


class DecidedInline:
    """An inline without *Delete* boxes, unless its rows are settings that go with their form."""

    deleting: Never | WithItsForm = Never("It is not deleted here.")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Without Django's look at what would go, which loads it: a WithItsForm takes nothing but records."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = type(formset.form.__name__, (_NothingLoaded, formset.form), {})
        return formset


class _NothingLoaded:
    def hand_clean_DELETE(self) -> None:
        """Django's form of an inline looks here for what protects a row that is ticked."""
