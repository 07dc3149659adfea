"""Values in addresses are encoded for where they stand, and only values are."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartpush.common.addresses.origins import is_allowed_click_url
from smartpush.common.personalisation import address_doubts, render

HOSTS = frozenset({"x.example"})
CITY = {"user": {"city": "A&B C#1/é", "page": "books/42", "ask": "a?b"}, "event": {"pairs": "a=1&b=2"}}


def address(template, variables=CITY):
    return render(template, variables, address=True)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("https://x.example/{{ user.page }}", "https://x.example/books/42"),
        ("https://x.example/{{ user.city }}", "https://x.example/A%26B%20C%231/%C3%A9"),
        ("https://x.example/?c={{ user.city }}&x=1", "https://x.example/?c=A%26B%20C%231%2F%C3%A9&x=1"),
        ("https://x.example/{{ user.ask }}", "https://x.example/a%3Fb"),
        ("https://x.example/#{{ user.city }}", "https://x.example/#A%26B%20C%231/%C3%A9"),
        ("https://x.example/?x=1#{{ user.ask }}", "https://x.example/?x=1#a?b"),
        ("https://x.example/#{{ user.page }}?p={{ user.page }}", "https://x.example/#books/42?p=books/42"),
        ("https://x.example/?c={{ user.city | upcase }}&x=1", "https://x.example/?c=A%26B%20C%231%2F%C3%89&x=1"),
        ("https://x.example/?c={{ user.none | default: 'New York' }}", "https://x.example/?c=New%20York"),
        ("https://x.example/?c={{ user.city | url_encode }}", "https://x.example/?c=A%26B+C%231%2F%C3%A9"),
        (
            "https://x.example/{% assign c = user.city | url_encode %}?c={{ c }}",
            "https://x.example/?c=A%26B+C%231%2F%C3%A9",
        ),
        ("https://x.example/?{{ event.pairs | safe }}", "https://x.example/?a=1&b=2"),
        (
            "https://x.example/{% capture q %}?c={{ user.city }}&x=1{% endcapture %}{{ q }}",
            "https://x.example/?c=A%26B%20C%231%2F%C3%A9&x=1",
        ),
        ("https://x.example/{% capture q %}{{ user.page }}{% endcapture %}{{ q }}", "https://x.example/books%2F42"),
        (
            "https://x.example/{% capture q %}?a=1{% endcapture %}{{ q | append: user.page }}",
            "https://x.example/%3Fa%3D1books/42",
        ),
        (
            "https://x.example/{% capture q %}?a=1{% endcapture %}{% assign q = user.city %}{{ q }}",
            "https://x.example/A%26B%20C%231/%C3%A9",
        ),
        (
            "https://x.example/{% if user.city %}?c={% else %}c/{% endif %}{{ user.city }}",
            "https://x.example/?c=A%26B%20C%231%2F%C3%A9",
        ),
        (
            "https://x.example/{% for n in (1..2) %}{{ user.page }}?{% endfor %}",
            "https://x.example/books/42?books%2F42?",
        ),
        ("shop://books/{{ user.city }}", "shop://books/A%26B%20C%231/%C3%A9"),
    ],
)
def test_a_value_is_encoded_for_the_part_of_the_address_that_it_stands_in(template, expected):
    assert address(template) == expected


@given(st.text(max_size=60))
@pytest.mark.parametrize("written", ["{{ user.v }}", "{{ user.v | append: '' }}"])
def test_any_value_arrives_whole_and_opens_no_other_page(written, value):
    meant = value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    url = address(f"https://x.example/a?v={written}&w=1#{written}", {"user": {"v": value}})
    parts = urlsplit(url)
    assert is_allowed_click_url(url, hosts=HOSTS)
    assert (parts.netloc, parts.path) == ("x.example", "/a")
    assert parse_qs(parts.query, keep_blank_values=True) in ({"v": [value], "w": ["1"]}, {"v": [meant], "w": ["1"]})
    assert unquote(parts.fragment) in (value, meant)


def test_texts_that_are_no_addresses_keep_their_values_as_they_are():
    assert render("?c={{ user.city }}", CITY) == "?c=A&B C#1/é"


@pytest.mark.parametrize(
    ("template", "doubts"),
    [
        ("https://x.example/?{{ event.pairs }}", ["{{ event.pairs }}"]),
        ("https://x.example/?a=1&{{ event.pairs }}#b", ["{{ event.pairs }}"]),
        ("https://x.example/{{ '?c=' | append: user.city }}", ["{{ '?c=' | append: user.city }}"]),
        ("https://x.example/{% assign q = '?c=' | append: user.city %}{{ q }}", ["{{ q }}"]),
        ("https://x.example/?{{ event.pairs | safe }}", []),
        ("https://x.example/{{ '?c=' | append: event.city | safe }}", []),
        ("https://x.example/?{{ user.name }}=1", []),
        ("https://x.example/?c={{ user.city | default: 'a&b' }}", []),
        ("https://x.example/?d={{ user.at | date: '%Y?' }}", []),
        ("https://x.example/{% capture q %}?c={{ user.city }}{% endcapture %}{{ q }}", []),
        ("https://x.example/{{ user.page }}", []),
        ("https://x.example/{{{", []),
    ],
)
def test_what_may_be_a_value_or_a_part_is_pointed_at(template, doubts):
    assert address_doubts(template) == doubts
