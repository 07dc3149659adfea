"""Values in addresses are encoded for where they stand, as the editor's preview shows."""

import json

from django.urls import reverse


def test_a_preview_shows_values_in_addresses_as_they_are_sent(editor):
    typed = {"click_url": "https://www.example.com/?n={{ user.first_name | append: ' B&C' }}"}
    address = reverse("admin:assets_pushresource_preview")
    preview = editor.post(address, json.dumps(typed), content_type="application/json").json()
    assert preview["texts"]["click_url"] == "https://www.example.com/?n=Ann%20B%26C"
