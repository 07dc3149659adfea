"""Why an import cannot be made, confirmed or cancelled."""


class CannotImport(Exception):
    """The message says why and what to do."""
