"""What may serve as an end user's external id, wherever it comes from."""

import unicodedata

MAX_LENGTH = 255
# Control, format (direction overrides, zero-width and tag characters), surrogate, line and paragraph separators: none
# can be seen, so two ids that look the same would be two people.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class CannotUseExternalId(ValueError):
    """The text cannot name an end user; the message says why."""


def external_id_clean(value: str) -> str:
    """The id without blanks around it, else as it is: case and spelling count. Raises CannotUseExternalId."""
    cleaned = value.strip()
    if not cleaned:
        raise CannotUseExternalId("The external id is empty.")
    if len(cleaned) > MAX_LENGTH:
        raise CannotUseExternalId(f"An external id has {MAX_LENGTH} characters at most.")
    unseen = next((char for char in cleaned if unicodedata.category(char) in _UNSEEN), None)
    if unseen is not None:
        raise CannotUseExternalId(
            f"An external id may not contain characters that cannot be seen, such as U+{ord(unseen):04X}."
        )
    return cleaned
