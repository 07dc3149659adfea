"""A service account's key file as people have it: the same key in other bytes is the same key (no Django)."""

import base64
import binascii
import codecs
import json
import re
from typing import Any, Final

TOKEN_URI: Final = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
# The addresses that Google's older key files name: the same service, which takes the same proof at the newest one.
_OLDER_TOKEN_URIS: Final = frozenset({
    "https://accounts.google.com/o/oauth2/token",
    "https://accounts.google.com/o/oauth2/v2/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
})  # fmt: skip
_NEEDED: Final = ("project_id", "private_key_id", "private_key", "client_email", "token_uri")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_BETWEEN: Final = re.compile(r"(?:\s|\\+[nrt])+")  # line ends, and those that were escaped once too often
_NOT_JSON: Final = "This file is not JSON. Choose the key file that Google made."


class CredentialsRefused(ValueError):
    """This is not a service account that we can send with; the message says why, in words for staff."""


def key_file_text(data: bytes) -> str:
    """Return the text of a key file in the encodings that editors save; raises CredentialsRefused."""
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif data[1:2] == b"\0":
        encoding = "utf-16-le"
    elif data[:1] == b"\0":
        encoding = "utf-16-be"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise CredentialsRefused(_NOT_JSON) from None


def key_file_fields(text: str) -> dict[str, str]:
    """Return what is needed of a key file's JSON, each field as Google writes it; raises CredentialsRefused."""
    document = _document(text)
    if not isinstance(document, dict) or document.get("type") != "service_account":
        raise CredentialsRefused(
            "This is not a service account key: Firebase console, Project settings, Service accounts, "
            "Generate new private key. (google-services.json belongs into the app, not here.)"
        )
    fields = {}
    for name in _NEEDED:
        value = document.get(name)
        if not isinstance(value, str) or not value.strip():
            raise CredentialsRefused(f"The file has no {name}. Choose the whole file, as Google made it.")
        fields[name] = value.strip()
    fields["private_key"] = _pem(fields["private_key"])
    if fields["token_uri"].rstrip("/") in {TOKEN_URI, *_OLDER_TOKEN_URIS}:
        fields["token_uri"] = TOKEN_URI
    return fields


def _document(text: str) -> Any:
    """Read the JSON; a file that holds it as a text once more is what some secret stores hand out."""
    document: Any = text.removeprefix("\ufeff")
    for _ in range(2):
        try:
            document = json.loads(document, strict=False)  # real line ends in the key: pasted from a screen
        except (ValueError, RecursionError):  # thousands of brackets exhaust the stack
            raise CredentialsRefused(_NOT_JSON) from None
        if not isinstance(document, str):
            return document
    return document


def _pem(text: str) -> str:
    """Return the private key in lines as PEM has them, however its line ends were written; its bytes are the same."""
    if "-----BEGIN" in text and "-----END" not in text:
        raise CredentialsRefused(
            "The private key in the file is cut off: its last line, END PRIVATE KEY, is missing. Choose the whole file."
        )
    found = _PEM.search(text)
    if found is None:
        raise CredentialsRefused(
            "The private_key in the file does not begin with BEGIN PRIVATE KEY. Choose the file as Google made it."
        )
    if "ENCRYPTED" in found[1] or ":" in found[2]:
        raise CredentialsRefused(
            "The private key in the file is protected by a password. Choose the file as Google made it."
        )
    body = _BETWEEN.sub("", found[2])
    try:
        base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise CredentialsRefused(
            "The private key in the file was changed: it has characters missing, or others in it. Choose the file as"
            " Google made it."
        ) from None
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""])
