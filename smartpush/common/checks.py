"""What stops a start, as system checks, so that `manage.py check` lists it by id."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from smartpush.common.startup.refusal import already_told
from smartpush.common.startup.rules import problems_of
from smartpush.common.startup.static_files import static_problems


@register()
def check_settings(app_configs: object = None, **kwargs: Any) -> list[CheckMessage]:
    """smartpush.E001 to E012; nothing where the command has named them already and goes on."""
    if already_told():
        return []
    problems = [*settings.UNREADABLE, *problems_of(settings)]
    return [Error(problem.text, hint=problem.advice or None, id=problem.id) for problem in problems]


@register(Tags.staticfiles, deploy=True)
def check_static_files(app_configs: object = None, **kwargs: Any) -> list[CheckMessage]:
    """smartpush.E013 and E014, for `manage.py check --deploy`: only a web server needs the files."""
    return [Error(problem.text, hint=problem.advice, id=problem.id) for problem in static_problems()]
