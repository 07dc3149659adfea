"""Structured logs for our code and the libraries', through one redacting chain."""

import logging
import logging.config
from typing import Any

import structlog

from smartpush.common.observability.redaction import redact


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook: `{"level": "INFO", "json": bool}`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if options["json"] else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "main": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "main"}},
            "root": {"handlers": ["console"], "level": options["level"]},
            "loggers": {
                "django.request": {"level": "ERROR"},
                # With a traceback, for whoever sends a made-up host; smartpush.common.calls.errors logs a line.
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                "django_structlog": {"level": "WARNING"},
                "axes": {"level": "WARNING"},
                "django-q": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
