"""Django's `csrf_token`, with the brand beside it: whatever form is sent to the back office carries its brand.

It is a builtin of the template engine (settings.TEMPLATES), so that templates of other packages have it too. Unfold
renders templates while it is imported: nothing of ours may be imported here.
"""

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


class BrandedCsrfTokenNode(CsrfTokenNode):
    def render(self, context: Context) -> SafeString:
        """Render the token and, on pages for staff, the brand of the page (devices.brands.selectors.brand_pages)."""
        token = super().render(context)
        carried = getattr(context.get("request"), "form_carries", None)
        name, value = carried() if carried is not None else ("", "")
        if not value:
            return SafeString(token)
        return SafeString(token + format_html('<input type="hidden" name="{}" value="{}">', name, value))


@register.tag
def csrf_token(parser: Parser, token: Token) -> BrandedCsrfTokenNode:
    """Render the hidden fields that every form to the back office needs."""
    return BrandedCsrfTokenNode()
