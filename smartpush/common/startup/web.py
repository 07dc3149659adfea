"""What smartpush.wsgi calls: a web server starts with right settings and all its files, or says why not."""

from django.core.wsgi import get_wsgi_application

from smartpush.common.entry import CleanHeaders
from smartpush.common.startup.refusal import EXIT_CODE, StartRefused, say
from smartpush.common.startup.static_files import static_problems


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
        say(str(refused))
        # Under gunicorn this ends a worker, and by this code its master as well.
        raise SystemExit(EXIT_CODE) from None
    return CleanHeaders(application)
