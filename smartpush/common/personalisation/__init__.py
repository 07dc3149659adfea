"""Liquid for what is sent: texts are checked where they are written and filled in under limits where they are sent.

`rendering` fills in, `addresses` encodes the values of addresses, `checks` finds what is wrong, `limits` says what is
too much; `filters`, `nodes` and `trees` see to it that nothing runs that was not counted beforehand (ADR 12).
"""

from smartpush.common.personalisation.checks import (
    TemplateProblem,
    address_doubts,
    address_samples,
    check_message,
    check_rendering,
    check_template,
    names_guarded,
    names_used,
)
from smartpush.common.personalisation.limits import MOST_SPENT, Meter
from smartpush.common.personalisation.rendering import _LIQUID as _LIQUID
from smartpush.common.personalisation.rendering import (
    FILTERS,
    RENDER_FAILED,
    TEMPLATE_LIMIT,
    TEMPLATE_TIME,
    CannotRender,
    is_metered,
    is_template,
    render,
)

__all__ = [
    "FILTERS",
    "MOST_SPENT",
    "RENDER_FAILED",
    "TEMPLATE_LIMIT",
    "TEMPLATE_TIME",
    "CannotRender",
    "Meter",
    "TemplateProblem",
    "address_doubts",
    "address_samples",
    "check_message",
    "check_rendering",
    "check_template",
    "is_metered",
    "is_template",
    "names_guarded",
    "names_used",
    "render",
]
