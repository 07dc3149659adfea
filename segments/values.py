"""A value that a rule cannot have, and the place in it that is at fault."""


class BadValue(ValueError):
    """What to do instead; `path` leads into the value, such as .value or [1].name, and is empty for the whole."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
