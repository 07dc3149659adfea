"""Which embedded server a Django connection's settings mean."""

import functools
import os
from pathlib import Path
from typing import Any

from smartpush.machine.embedded.layout import Layout, default_layout, layout_at

DATA_ROOT_KEY = "EMBEDDED_DATA_ROOT"


@functools.cache
def _layout(data_root: str) -> Layout:
    return layout_at(data_root=Path(data_root)) if data_root else default_layout()


def layout_of_settings(*, settings_dict: dict[str, Any]) -> Layout:
    """Return the layout by `EMBEDDED_DATA_ROOT`, else by SMARTPUSH_DATA_DIR, else this clone's default."""
    configured = settings_dict.get(DATA_ROOT_KEY) or settings_dict["OPTIONS"].get(DATA_ROOT_KEY)
    return _layout(str(configured or os.environ.get("SMARTPUSH_DATA_DIR") or ""))
