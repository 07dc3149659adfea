"""Counting that stops early: a list of a million rows must not count them all to show the first hundred."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

CAP = 5000


class CappedPaginator(Paginator):
    """Counts at most `CAP` rows; `capped` says that there are more."""

    template_name = "devices/pagination.html"

    @cached_property
    def _seen(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[: CAP + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._seen, CAP)

    @property
    def capped(self) -> bool:
        """True when there are more rows than were counted."""
        return self._seen > CAP
