"""Values in addresses are encoded for where they stand, as the editor shows and warns."""

import json

from django.urls import reverse

from tests.assets.test_admin import PUSH, PUSH_ADD, editor  # noqa: F401


def test_a_preview_shows_values_in_addresses_as_they_are_sent(editor):  # noqa: F811
    typed = {"click_url": "https://www.example.com/?n={{ user.first_name | append: ' B&C' }}"}
    address = reverse("admin:assets_pushresource_preview")
    preview = editor.post(address, json.dumps(typed), content_type="application/json").json()
    assert preview["texts"]["click_url"] == "https://www.example.com/?n=Ann%20B%26C"


def test_saving_warns_where_a_value_may_be_a_part_of_the_address(editor):  # noqa: F811
    doubtful = {**PUSH, "click_url": "https://www.example.com/?{{ event.pairs }}"}
    page = editor.post(PUSH_ADD, doubtful, follow=True).content.decode()
    assert "{{ event.pairs }} in an address of the en text is encoded as one value" in page
    plain = {**PUSH, "name": "Other", "click_url": "https://www.example.com/?c={{ user.city }}&amp;x=1"}
    assert "is encoded as one value" not in editor.post(PUSH_ADD, plain, follow=True).content.decode()
