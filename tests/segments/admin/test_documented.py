"""The page for marketers lists the fields and operators that there are."""

from django.conf import settings

from segments.management.commands.segment_fields import PAGE, page_with


def test_the_page_for_marketers_has_every_field_and_operator_as_it_is():
    written = (settings.BASE_DIR / PAGE).read_text()
    assert written == page_with(written), "Run: python manage.py segment_fields --write"
