"""Guessing passwords is slowed for whoever guesses, and for nobody else.

Failures are counted for an account from one address, for one address over all accounts, and for one account over all
addresses. A browser in which the account has logged in before is counted by itself (`known_browsers.py`), so that no
number of strangers' guesses locks its owner out.
"""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_cool_off
from axes.models import AccessAttempt
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import admin
from django.db.models import Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from smartpush.backoffice.access.known_browsers import browser_known_to
from smartpush.common.calls.callers import caller_address

# Within the same time as AXES_FAILURE_LIMIT of one account from one address.
ADDRESS_FAILURES = 40  # of one address over all accounts: a whole office may share it
NAME_FAILURES = 100  # of one account over all addresses, known browsers not counted

_KNOWN, _UNKNOWN = "known:", "unknown:"


class LockoutHandler(AxesDatabaseHandler):
    """Keeps django-axes' ledger, with limits and known browsers of our own."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether the password may be tried at all."""
        _name_browser(request, credentials)
        allowed: bool = super().is_allowed(request, credentials)
        return allowed

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """Count a failure; the caller is locked out when it was one too many."""
        if request is not None:
            _name_browser(request, credentials)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """Failures as a share of their limit, in units of `AXES_FAILURE_LIMIT`: django-axes has one limit for all."""
        name, address = get_client_username(request, credentials), request.axes_ip_address
        rows = AccessAttempt.objects.filter(attempt_time__gte=get_cool_off_threshold(request))
        of_browser = Q(username=name, user_agent=request.axes_user_agent)
        if request.axes_user_agent.startswith(_KNOWN):
            return int(rows.filter(of_browser).aggregate(n=Sum("failures_since_start"))["n"] or 0)
        # One statement: each filter below keeps a part of these rows.
        counted = rows.filter(Q(username=name) | Q(ip_address=address), user_agent__startswith=_UNKNOWN).aggregate(
            account=Sum("failures_since_start", filter=Q(username=name, ip_address=address)),
            address=Sum("failures_since_start", filter=Q(ip_address=address)),
            name=Sum("failures_since_start", filter=Q(username=name)),
        )
        limits = {"account": settings.AXES_FAILURE_LIMIT, "address": ADDRESS_FAILURES, "name": NAME_FAILURES}
        if caller_address(request).shared:  # it is everybody's: it must not lock everybody out
            del limits["address"]
        return max((counted[of] or 0) * settings.AXES_FAILURE_LIMIT // limit for of, limit in limits.items())


def _name_browser(request: Any, credentials: dict[str, Any] | None) -> None:
    """Write into the ledger's column for browsers whether this one is known; the prefix is never the caller's."""
    known = browser_known_to(request, get_client_username(request, credentials))
    agent = request.META.get("HTTP_USER_AGENT", "")
    request.axes_user_agent = (_KNOWN + known) if known is not None else (_UNKNOWN + agent)[:255]


@csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)  # the layout's scripts take its overlays away
def locked(request: HttpRequest, *_told: Any) -> HttpResponse:
    """Say how long the caller has to wait, and what else they can do, in the site's own look."""
    wait = get_cool_off(request)
    minutes = round(wait.total_seconds() / 60) if wait is not None else None
    known = getattr(request, "axes_user_agent", "").startswith(_KNOWN)
    context = {**admin.site.each_context(request), "minutes": minutes, "known": known}
    response = render(request, "backoffice/locked.html", context, status=429)
    if wait is not None:
        response["Retry-After"] = str(round(wait.total_seconds()))
    return response
