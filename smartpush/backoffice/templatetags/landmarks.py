"""Marks the content of a page as its main landmark, where Unfold's layouts have a plain element."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def main_landmark(page: SafeString, element_id: str) -> SafeString:
    """Give the element of this id the role `main`; the page is Unfold's own, rendered and safe."""
    return mark_safe(str(page).replace(f'id="{element_id}"', f'id="{element_id}" role="main"', 1))  # noqa: S308
