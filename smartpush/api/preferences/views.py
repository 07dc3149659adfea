"""The hosted preference page: no login, no script, no cookie; whoever holds the address may change the choices.

It shows the brand's name and categories and nothing about the person. Reading it changes nothing, so that a mail
scanner or a preview may fetch the address; the form posts to the same address, which no other site knows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import BadRequest, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from devices.lifecycle.consents import Asked
from devices.lifecycle.preferences import CategoryUnknown, preferences_save
from devices.models import EndUser
from devices.people.selectors.categories import categories_in_use
from devices.people.selectors.preferences import preferences_of
from devices.people.services.markers import CannotChangeMarkers
from smartpush.api.preferences.texts import TEXTS, page_language
from smartpush.common.calls.callers import caller_of
from smartpush.common.calls.errors import unavailable
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.database.deadlocks import ChangedMeanwhile, transaction_again
from smartpush.common.ids import read_preference_token
from smartpush.common.language.languages import direction_of, language_pick
from smartpush.common.time.clock import utc_now

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
}


_TITLES = {"away": "busy_title"}  # "One moment, please"


def _asked_languages(request: HttpRequest) -> list[str]:
    """What the address asks for, then what the browser does."""
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500])
    return [request.GET.get("lang", "")[:16], *(code for code, _ in accepted)]


def _kept(response: HttpResponse) -> HttpResponse:
    for name, value in _HEADERS.items():
        response[name] = value
    return response


def _page(template: str, context: dict[str, Any], *, language: str, status: int = 200) -> HttpResponse:
    # Without the request: no context processor reads a session here.
    body = render_to_string(
        f"preferences/{template}.html",
        {**context, "texts": TEXTS[language], "language": language, "direction": direction_of(language)},
    )
    return _kept(HttpResponse(body, status=status))


def _notice(request: HttpRequest, what: str, *, status: int) -> HttpResponse:
    language = page_language(_asked_languages(request))
    texts = TEXTS[language]
    return _page(
        "notice",
        {"heading": getattr(texts, _TITLES.get(what, f"{what}_title")), "sentence": getattr(texts, what)},
        language=language,
        status=status,
    )


@csrf_exempt  # there is no cookie that another site could make use of: the address itself is the right to post
@require_http_methods(["GET", "HEAD", "POST"])
def preference_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show one end user's choices, or save them: 404 for a wrong address, 410 for one whose 24 hours are over.

    503 while the database is away, or other calls kept changing the same person.
    """
    try:
        return _answer(request, token)
    except (OperationalError, InterfaceError, ChangedMeanwhile) as error:
        _, headers = unavailable(error)
        response = _notice(request, "away", status=503)
        for name, value in headers.items():
            response[name] = value
        return response


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    now = utc_now()
    per_minute = settings.SMARTPUSH_LIMITS["preferences_per_address"]
    wait = limit_exceeded(scope="preferences", key=caller_of(request), per_minute=per_minute)
    if wait is not None:
        response = _notice(request, "busy", status=429)
        response["Retry-After"] = str(wait)
        return response
    found = read_preference_token(token)
    if found is None:
        return _notice(request, "unknown", status=404)
    number, until = found
    # An end user who was erased, or a visitor who has logged in since: that person's link is over too.
    end_user = EndUser.objects.select_related("brand").filter(pk=number).first() if now < until else None
    if end_user is None:
        return _notice(request, "expired", status=410)
    brand = end_user.brand
    chosen, *accepted = _asked_languages(request)
    wanted = [code for code in (chosen, end_user.language, *accepted, brand.default_language) if code]
    language = page_language(wanted)
    failed = False
    if request.method == "POST":
        if _save(request, end_user=end_user, language=language, now=now):
            query = urlencode({"lang": language, "saved": 1})
            # 303: the browser reads the page again, and a reload sends nothing twice.
            return _kept(HttpResponseRedirect(f"{request.path}?{query}", status=303))
        failed = True
    return _shown(request, end_user=end_user, language=language, wanted=wanted, failed=failed)


def _shown(
    request: HttpRequest, *, end_user: EndUser, language: str, wanted: Sequence[str], failed: bool
) -> HttpResponse:
    brand = end_user.brand
    texts = TEXTS[language]
    found = preferences_of(
        end_user=end_user,
        default_language=brand.default_language,
        languages=[
            *(code for code in wanted if language_pick(written=TEXTS, wanted=[code], default="") == language),
            language,
        ],
    )
    return _page(
        "page",
        {
            "heading": texts.title.format(brand=f"\u2068{brand.name}\u2069"),  # set apart: a name may run the other way
            "preferences": found,
            "action": f"{request.path}?{urlencode({'lang': language})}",
            "saved": request.GET.get("saved") == "1" and not failed,
            "failed": failed,
            "choices": [(code, each.name) for code, each in TEXTS.items()],
        },
        language=language,
        status=400 if failed else 200,
    )


def _save(request: HttpRequest, *, end_user: EndUser, language: str, now: datetime) -> bool:
    """Write what the form says of what it showed; what it did not show (a newer category) stays."""
    request.encoding = "utf-8"
    try:
        form = request.POST
    except (BadRequest, MultiPartParserError, TooManyFieldsSent, TooManyFilesSent):
        return False
    was = form.get("was_opted_out")
    if was not in {"0", "1"}:  # in every form that we make: this body is none, or it came apart on the way
        return False
    ticked = set(form.getlist("category"))
    in_use = {category.marker for category in categories_in_use(brand_id=end_user.brand_id)}
    ticks = {marker: marker in ticked for marker in form.getlist("shown") if marker in in_use}
    # An old page in another tab must not undo an opt-out made since: only a switch that was moved is an answer.
    stop = "opted_out" in form
    try:
        transaction_again(
            lambda: preferences_save(
                brand_id=end_user.brand_id,
                end_user_id=end_user.pk,
                asked=Asked(language=language, origin=settings.SMARTPUSH_PUBLIC_URL),
                now=now,
                ticks=ticks or None,
                opted_out=stop if stop != (was == "1") else None,
            )
        )
    except (CategoryUnknown, CannotChangeMarkers):
        return False
    return True
