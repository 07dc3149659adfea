"""`manage.py dbshell` on the embedded server."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql.client import DatabaseClient as PostgreSQLClient

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.backend.server import layout_of_settings


class DatabaseClient(PostgreSQLClient):
    """psql, pointed at the embedded server, which is started when it is down."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """Return psql's command line and environment; raises EmbeddedServerError when there is no server."""
        layout = layout_of_settings(settings_dict=settings_dict)
        launcher.ensure_running(layout=layout)
        found = launcher.connection_parameters(layout=layout)
        filled = settings_dict | {
            "HOST": found["host"],
            "PORT": found["port"],
            "USER": found["user"],
            "PASSWORD": found.get("password", ""),
        }
        arguments, environment = super().settings_to_cmd_args_env(filled, parameters)
        return [str(launcher.client_program(layout=layout)), *arguments[1:]], environment
