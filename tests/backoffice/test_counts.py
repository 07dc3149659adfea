"""Numbers stand beside the right form of their noun, wherever the back office counts."""

import html
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.template import Context, Template
from django.urls import reverse

from assets.models import PushResource
from smartpush.common.numbers import counted, noun
from tests.backoffice.superusers import SUPERUSERS_ONLY
from tests.backoffice.walk import model_pages

ROOT = Path(settings.BASE_DIR)
HOUSE = ("smartpush", "campaigns", "segments", "assets", "devices")


def test_a_number_has_its_noun():
    assert [counted(number=number, one="end user") for number in (0, 1, 2, 12_000)] == [
        "0 end users", "1 end user", "2 end users", "12,000 end users",
    ]  # fmt: skip
    assert [noun(number=number, one="is", many="are") for number in (1, 2)] == ["is", "are"]
    page = Template(
        '{% load counts %}{{ one|counted:"entry,entries" }}, {{ two|counted:"push,pushes" }}, {{ two|noun:"id" }}'
    )
    assert page.render(Context({"one": 1, "two": 2})) == "1 entry, 2 pushes, ids"


@pytest.mark.django_db
def test_the_foot_of_a_list_counts_in_the_right_form(ours, client_of):
    client = client_of(ours.brand)
    address = reverse("admin:assets_pushresource_changelist")

    def foot():
        return re.search(r"\b\d+ push\w*", re.sub(r"\s+", " ", client.get(address).content.decode())).group()

    PushResource.objects.filter(brand=ours.brand).exclude(pk=ours.rows[PushResource].pk).delete()
    assert foot() == "1 push"
    PushResource.objects.create(brand=ours.brand, name="Another")
    assert foot() == "2 pushes"


def nouns():
    """Both forms of whatever the back office lists, and of what its pages count besides."""
    forms = [("id", "ids"), ("call", "calls"), ("step", "steps"), ("place", "places"), ("person", "people")]
    for model, model_admin in admin.site._registry.items():
        opts = model._meta
        forms.append(getattr(model_admin, "counted_as", (str(opts.verbose_name), str(opts.verbose_name_plural))))
    return forms


def miscounted(text):
    """Numbers beside the wrong form in a page."""
    text = re.sub(r"<(script|style|textarea)\b.*?</\1>", "\n", text, flags=re.S)
    text = re.sub(r"[^\S\n]+", " ", re.sub(r"<[^>]+>", "\n", re.sub(r"\s+", " ", re.sub(r"</?(strong|b)>", "", text))))
    singular, plural = {one: True for one, _ in nouns()}, {many: False for _, many in nouns()}
    known = plural | singular
    pattern = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    found = re.findall(rf"(?<![\w.,:/#-])([\d,]+) ({pattern})\b(?! [a-z]+s\b)", html.unescape(text))
    return [f"{number} {word}" for number, word in found if (number == "1") != known[word]]


def test_the_walk_below_sees_a_wrong_form():
    assert miscounted("<p>3 push</p>") == ["3 push"]
    assert miscounted("<p><strong>1</strong> end users</p>") == ["1 end users"]
    assert miscounted("<p>1 push service, 2 pushes, 1 end user, 12,000 devices</p>") == []


def test_every_listed_model_has_two_forms():
    assert [one for one, many in nouns() if one == many] == []


@pytest.mark.django_db
def test_no_page_counts_in_the_wrong_form(ours, client_of):
    client = client_of(ours.brand)
    seen, wrong = 0, []
    addresses = [
        (page.name, page.url(ours))
        for page in model_pages()
        if page.model not in SUPERUSERS_ONLY and page.kind != "autocomplete"
    ]
    for name, address in (("index", reverse("admin:index")), *addresses):
        answer = client.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            seen += 1
            wrong += [f"{name}: {word}" for word in miscounted(answer.content.decode())]
    assert seen > 80
    assert wrong == []


# A choice between the forms by hand: `'' if n == 1 else 's'`, `"device" if n == 1 else "devices"`.
CHOOSING = re.compile(r"""if [^"\n]*== 1 else ['"]\w*s\b|['"][\w ]+['"] if [^\n]*== 1 else f?['"][^'"\n]+s\b""")


def test_no_plural_is_made_by_hand():
    """`counted` and `noun`, in Python and in templates, are the only places that choose between the forms."""
    pages = [path for path in (ROOT / "templates").rglob("*.html") if "pluralize" in path.read_text()]
    modules = [path for house in HOUSE for path in (ROOT / house).rglob("*.py") if CHOOSING.search(path.read_text())]
    assert [str(path.relative_to(ROOT)) for path in pages + modules] == []
    assert CHOOSING.search("""f"{number} push{'' if number == 1 else 'es'}" """)
