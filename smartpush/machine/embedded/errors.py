"""What can go wrong around the embedded server."""


class EmbeddedServerError(RuntimeError):
    """The embedded PostgreSQL cannot be provided; the message says why and what to do about it."""
