"""Imports of lists of external ids."""

from segments.services.imports.keeping import (
    KEEP_UNKNOWN,
    import_cancel,
    import_confirm,
    imports_forget_old,
    imports_resume,
)
from segments.services.imports.layouts import HEAD, Choice
from segments.services.imports.lookup import import_run
from segments.services.imports.reading import CannotRead, file_columns
from segments.services.imports.receiving import import_receive
from segments.services.imports.refusals import CannotImport

__all__ = [
    "HEAD",
    "KEEP_UNKNOWN",
    "CannotImport",
    "CannotRead",
    "Choice",
    "file_columns",
    "import_cancel",
    "import_confirm",
    "import_receive",
    "import_run",
    "imports_forget_old",
    "imports_resume",
]
