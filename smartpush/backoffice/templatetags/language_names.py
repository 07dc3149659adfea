"""Write languages by their names: people do not read tags such as `pt-BR`."""

from django import template

from smartpush.common.language import languages

register = template.Library()


@register.filter
def language_name(tag: str) -> str:
    """Return the English name of a tag's language."""
    return languages.language_label(tag)


@register.filter
def language_and_tag(tag: str) -> str:
    """Return the name with the tag, where developers compare it with what their page or server sent."""
    return languages.language_choice(tag)
