"""Liquid as our templates have it."""

from io import StringIO
from typing import Any, Final

from liquid import BoundTemplate, Environment, Mode

from smartpush.common.personalisation.context import Buffer, Context
from smartpush.common.personalisation.filters import TemplateFilter, filters_of
from smartpush.common.personalisation.limits import (
    MAX_LOOPS,
    Meter,
)
from smartpush.common.personalisation.nodes import TAGS
from smartpush.common.personalisation.trees import prepare

_PSEUDO_TAGS: Final = ("content", "output", "illegal")


class Template(BoundTemplate):
    """A parsed template."""

    context_class = Context

    def _get_buffer(self) -> StringIO:
        return Buffer(Meter())


class LimitedEnvironment(Environment):
    """Liquid as our templates have it; `guarded` are its filters."""

    context_depth_limit = 12
    loop_iteration_limit = MAX_LOOPS
    template_class = Template

    def __init__(self) -> None:
        super().__init__(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)
        self.tags = {name: self.tags[name] for name in (*_PSEUDO_TAGS, "break", "continue")}
        for tag in TAGS:
            self.add_tag(tag)
        self.guarded: dict[str, TemplateFilter] = filters_of(self)

    def from_string(self, source: str, *args: Any, **options: Any) -> BoundTemplate:
        """Parse a text and get it ready to be counted."""
        template = super().from_string(source, *args, **options)
        prepare(template)
        return template
