"""Liquid: what is written is checked, what is sent is rendered, and neither can hurt."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smartpush.common import personalisation
from smartpush.common.personalisation import CannotRender, check_template, names_guarded, render

ANN = {"user": {"first_name": "Ann", "level": 3}, "event": {"amount": 20}, "brand": {"name": "Acme"}}


def test_values_and_defaults_are_filled_in():
    text = 'Hi {{ user.first_name | default: "there" }}, welcome to {{ brand.name }}'
    assert render(text, ANN) == "Hi Ann, welcome to Acme"
    assert render(text, {"user": {}, "brand": {"name": "Acme"}}) == "Hi there, welcome to Acme"


def test_missing_values_and_missing_roots_are_empty():
    assert render("[{{ user.city }}][{{ event.a.b }}][{{ user.city | upcase }}]", {"user": {}}) == "[][][]"


def test_text_without_liquid_comes_back_as_it_is():
    text = "Half price } today { 50% off"
    assert render(text, {}) is text
    assert check_template(text) == []


def test_output_is_plain_text_not_html():
    assert render("{{ user.a }}|{{ user.a | upcase }}", {"user": {"a": "<b> & 'c'"}}) == "<b> & 'c'|<B> & 'C'"


def test_values_are_never_read_as_templates():
    assert render("{{ user.a }}", {"user": {"a": "{{ brand.secret }}"}}) == "{{ brand.secret }}"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("Hi {{ user.name", 1, 4, "not closed"),
        ("one\ntwo {% if user.a %} three", 2, 5, "{% endif %}"),
        ("{% endif %}", 1, 4, "nothing that it belongs to"),
        ("{% wave %}", 1, 4, "no tag called wave"),
        ("{{ user.a | shout }}", 1, 13, "no filter called shout"),
        ("{{ usr.a }}", 1, 4, "usr is not known"),
        ("{{ user }}", 1, 4, "Say which value of user"),
        ("{% include 'x' %}", 1, 4, "no tag called include"),
        ("{% render 'x' %}", 1, 4, "no tag called render"),
        ("x" * 1001, 1, 1, "longer than"),
    ],
)
def test_problems_are_pointed_at(text, line, column, words):
    (problem,) = check_template(text)
    assert (problem.line, problem.column) == (line, column)
    assert words in problem.message


def test_names_that_the_template_makes_itself_are_known():
    assert check_template("{% for i in user.x %}{{ i.y }}{% endfor %}{% assign a = user.b %}{{ a }}") == []


@pytest.mark.parametrize("text", ["{{ user.level | divided_by: 0 }}", "{{ user.level | shout }}", "{% if"])
def test_a_failing_template_ends_as_cannot_render(text):
    with pytest.raises(CannotRender) as caught:
        render(text, ANN, field="title")
    assert (caught.value.code, caught.value.field) == ("render_failed", "title")


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{{ (1..1000000000) | join: '' }}",
        "{{ 'aaaaaaaaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaa'" * 10 + " }}",
        "{% for i in (1..150) %}{% for j in (1..150) %}x{% endfor %}{% endfor %}",
        "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..100) %}{% assign s = s | append: s %}{% endfor %}",
        "{{ user.first_name }}" + "x" * 6000,
    ],
)
def test_a_greedy_template_ends_over_the_limit(text):
    with pytest.raises(CannotRender) as caught:
        render(text, ANN, field="title")
    assert (caught.value.code, caught.value.field) == ("template_limit", "title")


_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2)
)


@given(
    value=_values,
    default=st.text(alphabet="ab {}<é", max_size=4),
    form=st.sampled_from(
        [
            "a{{ user.x }}b",
            "a\r\n{{ user.x }}",
            '{{user.x|default:"%s"}}',
            "{{ user.x | default: '%s' }}!",
            "{{ user.x.y }}",
        ]
    ),
)
@example(value="\r", default="", form="a{{ user.x }}b")
def test_the_short_path_for_simple_templates_equals_liquid(value, default, form):
    text = form.replace("%s", default)
    variables = {"user": {"x": value}}
    if check_template(text):
        return
    whole = personalisation._LIQUID.from_string(text).render(**variables)
    assert render(text, variables) == whole


def test_two_thousand_end_users_are_rendered_fast():
    text = 'Hi {{ user.first_name | default: "there" }}, welcome to {{ brand.name }}'
    render(text, ANN)
    users = [{"user": {"first_name": f"U{n}"}, "brand": {"name": "Acme"}} for n in range(2000)]
    started = time.process_time()
    texts = [render(text, variables) for variables in users]
    assert texts[1999] == "Hi U1999, welcome to Acme"
    assert (time.process_time() - started) / 2000 < 50e-6


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("{{ user.a | default: 'x' }}", {("user", "a")}),
        ("{{ user.a.b | upcase | default: 'x' }}", {("user", "a")}),
        ("{% assign name = user.a | default: 'x' %}{{ name }}", {("user", "a")}),
        ("{% if event.n == 1 %}{{ user['a'] | default: 'x' }}{% endif %}", {("user", "a")}),
        ("{{ user.a | default: 'x' }} {{ user.a }}", set()),
        ("{{ user.a | default: user.b }}", {("user", "a")}),
        ("{{ user.a | upcase }}", set()),
        ("{{ user.a | default: ", set()),
        ("no template", set()),
    ],
)
def test_a_name_is_guarded_when_every_use_of_it_has_a_default(text, guarded):
    assert names_guarded(text) == guarded
