"""Why a set-up stops."""


class SetupStopped(Exception):
    """The set-up cannot go on; the message tells the person at the terminal what to do."""
