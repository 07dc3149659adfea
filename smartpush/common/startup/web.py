"""What smartpush.wsgi calls: a web server starts with right settings and all its files, or says why not."""

import signal
import time
from typing import NoReturn

from django.core.wsgi import get_wsgi_application

from smartpush.common.calls.entry import CleanHeaders
from smartpush.common.startup.refusal import EXIT_CODE, StartRefused, say
from smartpush.common.startup.static_files import static_problems

# How long a younger worker of gunicorn waits for its master to end it, and a second more for each worker before it.
_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.05


def web_application() -> CleanHeaders:
    """Return the WSGI application; with wrong settings or missing static files say so and exit."""
    try:
        application = get_wsgi_application()
        problems = static_problems()
        if problems:
            raise StartRefused(
                problems, heading="The web server does not start. Files that its pages need are missing:"
            )
    except StartRefused as refused:
        _end(str(refused))
    return CleanHeaders(application)


def _end(text: str) -> NoReturn:
    """Say why and exit by the code on which gunicorn's master ends as well.

    All its workers come here at the same moment. The oldest speaks; the others wait to be ended by the master, which
    takes a second such exit for an error of its own and prints a traceback.
    """
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)  # gunicorn's, when it is one
    age = getattr(worker, "age", 1)
    deadline = time.monotonic() + _PATIENCE_SECONDS + age
    while age > 1 and time.monotonic() < deadline:
        if not getattr(worker, "alive", True):
            raise SystemExit(0)
        time.sleep(_POLL_SECONDS)
    say(text)
    raise SystemExit(EXIT_CODE)
