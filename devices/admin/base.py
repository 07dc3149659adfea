"""The base of every admin page that shows rows of a brand: all that is seen or chosen there stays in the brand."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import DataError, models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import urlencode
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import StackedInline, TabularInline
from unfold.views import ChangeList

from devices.admin.deleting import DecidedDeleting, DecidedInline, Never
from devices.admin.paginators import CappedPaginator
from devices.admin.wall_time import SplitWallTimeField
from devices.brands.selectors.brand_pages import page_show
from devices.brands.selectors.current_brand import current_brand, staff_brands
from devices.brands.selectors.staff import Role, has_brand_role, has_role_anywhere, missing_right
from devices.models import Brand


class BrandChangeList(ChangeList):
    """A list that shows the current brand's rows."""

    root_queryset: QuerySet[Any]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(request, *args, **kwargs)
        except (
            DataError,
            OverflowError,
            ValueError,
        ) as problem:  # the year 99999: known when rows are read
            if not request.GET:
                raise
            raise IncorrectLookupParameters(problem) from problem

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count  # nothing is filtered away, so there is nothing to show besides

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        self.root_queryset = self.model_admin.narrow_to_current(request, self.root_queryset)
        return super().get_queryset(request, exclude_parameters)


class _BrandForm:
    """Binds a new row to the current brand before it is validated, so that constraints with the brand hold."""

    bound_brand: Brand | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        instance = self.instance  # type: ignore[attr-defined]
        if instance._state.adding and instance.brand_id is None:
            instance.brand = self.bound_brand

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"brand"}


class BrandScopedAdmin(DecidedDeleting):
    """Rows of the brands of this member of staff; the rights follow the role at each row's brand.

    `brand_path` leads from the model to its brand (`brand`, `campaign__brand`; `""` for Brand itself). A row of
    another brand does not exist here: not in lists, searches, choices, autocompletes, histories or by its id.
    """

    brand_path = "brand"
    view_role: str = Role.VIEWER
    add_role: str | None = Role.EDITOR
    change_role: str | None = Role.EDITOR
    delete_role: str | None = None  # with `deleting`, which says what goes and how it is asked about
    nobody = "smartpush writes these itself; nobody adds, changes or deletes them by hand."
    secret_fields: tuple[str, ...] = ()  # of its forms: what is typed there no page repeats
    empty_hint = ""  # what the list says while there is nothing in it
    list_fullwidth = True
    list_filter_sheet = True
    show_full_result_count = False
    paginator = CappedPaginator
    actions: Any = None
    formfield_overrides = {models.DateTimeField: {"form_class": SplitWallTimeField}}

    # --- which rows ---
    def _has_brand_field(self) -> bool:
        return self.brand_path == "brand"

    def brand_filter(self, brands: Sequence[Brand]) -> dict[str, Any]:
        """The filter that keeps the rows of these brands."""
        path = f"{self.brand_path}__in" if self.brand_path else "pk__in"
        return {path: [brand.pk for brand in brands]}

    def brands_condition(self, brands: Sequence[Brand]) -> Q:
        """The condition that keeps the rows which staff of these brands may know of."""
        return Q(**self.brand_filter(brands))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        rows = rows.filter(self.brands_condition(staff_brands(request)))
        if request.resolver_match is not None and request.resolver_match.url_name == "autocomplete":
            rows = self.narrow_to_current(request, rows)
        return rows

    def narrow_to_current(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Only the current brand's rows."""
        brand = current_brand(request)
        return rows.filter(self.brands_condition([brand])) if brand is not None else rows.none()

    def brand_of(self, obj: Any) -> Brand | None:
        """The brand of one row."""
        brand = obj
        for step in self.brand_path.split("__") if self.brand_path else []:
            brand = getattr(brand, step, None)
            if brand is None:
                return None
        return brand if isinstance(brand, Brand) else None

    def brand_id_of(self, obj: Any) -> int | None:
        """The id of the brand of one row, without reading the brand where the row itself carries it."""
        if self.brand_path == "brand":
            number: int | None = obj.brand_id
            return number
        brand = self.brand_of(obj)
        return brand.pk if brand is not None else None

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, when it is one of theirs; the page is its brand's, and refuses a form of another one."""
        obj = super().get_object(request, object_id, from_field)
        brand_id = self.brand_id_of(obj) if obj is not None else None
        if brand_id is not None:
            page_show(request, brand_id)
        return obj

    def object_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row for a page of ours, when it is one of theirs."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        return obj

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Without NULs, which no text in PostgreSQL has: autocompletes pass on what was typed unread."""
        rows: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term.replace("\x00", "")
        )
        return rows

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BrandChangeList

    # --- rights ---
    def _allowed(self, request: HttpRequest, obj: Any, role: str | None) -> bool:
        if role is None:
            return False
        if obj is not None:
            return has_brand_role(request.user, self.brand_id_of(obj), role)
        if not self.brand_path:
            return has_role_anywhere(request.user, role)
        brand = current_brand(request)
        return brand is not None and has_brand_role(request.user, brand.pk, role)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_role_anywhere(request.user, self.view_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request, obj, self.view_role) or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, None, self.add_role)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allowed(request, obj, self.change_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not isinstance(self.deleting, Never) and self._allowed(request, obj, self.delete_role)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Who may see the rows may export them (django-import-export)."""
        return self.has_view_permission(request)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Who may add rows may import them (django-import-export)."""
        return self.has_add_permission(request)

    def confirm_page(
        self,
        request: HttpRequest,
        row: Any,
        *,
        title: str,
        explanation: str,
        button: str,
        danger: bool,
        back: str,
        numbers: Sequence[str] = (),
        problems: Sequence[str] = (),
    ) -> HttpResponse:
        """Ask before something is done to a row; `problems` say why it was not done just now.

        The answer carries `button` as `step`: a page whose button changes with the row knows what was agreed to.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": row,
            "explanation": explanation,
            "button": button,
            "danger": danger,
            "numbers": numbers,
            "problems": problems,
            "back": back,
        }
        return TemplateResponse(request, "shared/confirm.html", context, status=409 if problems else 200)

    def require_role(self, request: HttpRequest, obj: Any, role: str) -> None:
        """Refuse with a sentence that names the missing right, unless they hold `role` at the row's brand."""
        brand = self.brand_of(obj) if obj is not None else current_brand(request)
        if not has_brand_role(request.user, brand.pk if brand is not None else None, role):
            raise PermissionDenied(missing_right(role, brand))

    # --- forms ---
    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        excluded = list(super().get_exclude(request, obj) or [])
        return [*excluded, "brand"] if self._has_brand_field() else excluded

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if not self._has_brand_field():
            return form
        return type(form.__name__, (_BrandForm, form), {"bound_brand": current_brand(request)})

    def _choices_of_brand(self, request: HttpRequest, related: type[models.Model]) -> QuerySet[Any] | None:
        if related is Brand:
            return Brand.objects.filter(pk__in=[brand.pk for brand in staff_brands(request)])
        admin = self.admin_site._registry.get(related)
        path = admin.brand_path if isinstance(admin, BrandScopedAdmin) else None
        if path is None:
            try:
                field = related._meta.get_field("brand")
            except FieldDoesNotExist:
                return None
            path = "brand" if field.related_model is Brand else None
        if path is None:
            return None
        brand = current_brand(request)
        if brand is None:
            return related._default_manager.none()
        return related._default_manager.filter(**{path: brand.pk})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            rows = self._choices_of_brand(request, db_field.remote_field.model)
            if rows is not None:
                kwargs["queryset"] = rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs:
            rows = self._choices_of_brand(request, db_field.remote_field.model)
            if rows is not None:
                kwargs["queryset"] = rows
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    # --- pages: refusals that say what is missing ---
    def _require_view(self, request: HttpRequest, obj: Any) -> None:
        if not self.has_view_permission(request, obj):
            self.require_role(request, obj, self.view_role)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self._require_view(request, None)
        kept = [(name, value) for name, values in request.GET.lists() for value in values if "\x00" not in name + value]
        if len(kept) < sum(len(values) for _name, values in request.GET.lists()):  # nothing in PostgreSQL has a NUL
            return HttpResponseRedirect(f"{request.path}?{urlencode(kept)}")
        return super().changelist_view(request, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require_view(request, self.object_or_404(request, object_id))
        return super().history_view(request, object_id, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        extra = dict(extra_context or {})
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        role = self.change_role if object_id else self.add_role
        allowed = self.has_change_permission(request, obj) if object_id else self.has_add_permission(request)
        if (obj is not None or not object_id) and not allowed:
            brand = self.brand_of(obj) if obj is not None else current_brand(request)
            refusal = missing_right(role, brand) if role is not None else self.nobody
            if request.method != "GET" or not object_id:
                raise PermissionDenied(refusal)
            self._require_view(request, obj)
            if role is not None:
                extra.setdefault("missing_right", refusal)
        return super().changeform_view(request, object_id, form_url, extra)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        if obj is not None and self.delete_role is not None and not self.has_delete_permission(request, obj):
            self.require_role(request, obj, self.delete_role)
        return super().delete_view(request, object_id, extra_context)

    def deleted_from(self, obj: Any) -> Brand | None:
        return self.brand_of(obj)


class BrandScopedHistoryAdmin(SimpleHistoryAdmin, BrandScopedAdmin):
    """The same for models with simple-history: past versions belong to the brand too, and are for reading."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require_view(request, self.object_or_404(request, object_id))
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self._require_view(request, self.object_or_404(request, object_id))
        if request.method != "GET":
            raise PermissionDenied("Past versions are for reading; change the current one instead.")
        return super().history_form_view(request, object_id, version_id, extra_context)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class ReadOnlyAdmin(BrandScopedAdmin):
    """Rows that the engine writes: staff look, nobody types."""

    add_role: str | None = None
    change_role: str | None = None
    delete_role: str | None = None
    deleting = Never("smartpush writes these itself; nobody adds, changes or deletes them by hand.")


class _BrandScopedInline(DecidedInline):
    """Rows under a parent row: the role at the parent's brand decides."""

    write_role: str = Role.EDITOR

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        parent = self.admin_site._registry.get(self.parent_model)  # type: ignore[attr-defined]
        return isinstance(parent, BrandScopedAdmin) and parent._allowed(request, obj, self.write_role)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not isinstance(self.deleting, Never) and self._may_write(request, obj)


class BrandScopedTabularInline(_BrandScopedInline, TabularInline):
    """Rows in a table: its heads are no labels to those who hear the page, so that each field carries its own."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field


class BrandScopedStackedInline(_BrandScopedInline, StackedInline):
    pass
