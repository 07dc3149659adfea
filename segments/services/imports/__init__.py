"""Imports of lists of external ids."""

from segments.services.imports.keeping import (
    KEEP_UNKNOWN,
    import_cancel,
    import_confirm,
    imports_forget_old,
    imports_resume,
)
from segments.services.imports.matching import import_run
from segments.services.imports.receiving import import_receive
from segments.services.imports.refusals import CannotImport

__all__ = [
    "KEEP_UNKNOWN",
    "CannotImport",
    "import_cancel",
    "import_confirm",
    "import_receive",
    "import_run",
    "imports_forget_old",
    "imports_resume",
]
