"""The database wrapper: connect, and when nobody answers bring the server up and connect again."""

from typing import Any

import psycopg
from django.db.backends.postgresql.base import DatabaseWrapper as PostgreSQLWrapper

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.backend.client import DatabaseClient
from smartpush.machine.embedded.backend.server import DATA_ROOT_KEY, layout_of_settings
from smartpush.machine.embedded.errors import EmbeddedServerError


class DatabaseWrapper(PostgreSQLWrapper):
    """PostgreSQL whose host, role and password come from the embedded server."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        """Return psycopg's parameters, the embedded server's place and secret filled in."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop(DATA_ROOT_KEY, None)
        try:
            layout = layout_of_settings(settings_dict=self.settings_dict)
        except EmbeddedServerError as error:
            raise psycopg.OperationalError(str(error)) from error
        return parameters | launcher.connection_parameters(layout=layout)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; a server that is absent, starting, recovering or killed is brought up first."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            layout = layout_of_settings(settings_dict=self.settings_dict)
            try:
                launcher.ensure_running(layout=layout)
            except EmbeddedServerError as error:
                raise psycopg.OperationalError(str(error)) from error
            # The first start has just made the password that these parameters lack.
            return super().get_new_connection(conn_params | launcher.connection_parameters(layout=layout))
