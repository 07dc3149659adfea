"""Guessing passwords is slowed twice: one account from one address, and an address over all accounts."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

ADDRESS_FAILURES = 40  # of one address over all accounts, within the same time as AXES_FAILURE_LIMIT of one account


class LockoutHandler(AxesDatabaseHandler):
    """An address that tries one password on many names is locked too, but later: a whole office may share it."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures as a share of their limit, in units of `AXES_FAILURE_LIMIT`: django-axes has one limit for all."""
        account, address = (
            attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        of_address: int = address * settings.AXES_FAILURE_LIMIT // ADDRESS_FAILURES
        return max(account, of_address)


@csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)  # the layout's scripts take its overlays away
def locked(request: HttpRequest, *_told: Any) -> HttpResponse:
    """The page for who must wait, in the site's own look."""
    wait = get_cool_off(request)
    minutes = round(wait.total_seconds() / 60) if wait is not None else None
    context = {**admin.site.each_context(request), "minutes": minutes}
    return render(request, "backoffice/locked.html", context, status=429)
