"""Every stored code has words: what the sources write, what APIs take, and what models list."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models

from campaigns.activities import registry
from campaigns.words import EXIT_REASONS, activity_words, outcome_words
from devices.delivery.words import DELIVERY_REASONS
from devices.installations.reporting import REASONS
from devices.installations.words import STATUS_CAUSES, STATUS_REASONS, TOKEN_ENDS
from smartpush.api.sdk.serializers import StatusSerializer
from smartpush.common.code_words import UnknownCode, code_table
from tests.checks.sources import ROOT, product_sources

TABLES = (DELIVERY_REASONS, STATUS_REASONS, STATUS_CAUSES, TOKEN_ENDS, EXIT_REASONS)
ROOMS = ("devices/delivery/", "devices/installations/", "devices/lifecycle/", "devices/popups/", "campaigns/")
KEYWORDS = {"reason", "hold_reason", "exit_reason", "stop_reason", "ended", "cause"}
CALLS = {"Verdict", "SendRefused", "final", "later", "again", "CannotSend"}
# Written in these rooms under such a name, and no stored reason: whom an incident or a log is about.
NOT_STORED = {"devices/lifecycle/site_check/"}
OURS = ("devices", "segments", "assets", "campaigns")


def has_words(code: str) -> bool:
    """Whether any table knows the code."""
    begins, opened, _ = code.partition("{")
    if not opened:
        return any(code in table.words for table in TABLES)
    return any(begins in table.opened or any(one.startswith(begins) for one in table.words) for table in TABLES)


def written(source: str) -> Iterator[str]:
    """The codes that a module hands on: as a keyword, as the reason of a verdict, or in a table of reasons."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            yield from _text(node.value)
        elif isinstance(node, ast.Call) and _name(node.func) in CALLS:
            for argument in node.args:
                yield from _text(argument)
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and "REASONS" in target.id for target in node.targets
        ):
            for value in getattr(node.value, "values", []):
                yield from _text(value)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _text(node: ast.expr) -> Iterator[str]:
    """A code that stands there, as it is or with a number behind it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z][a-z_]+", node.value):
        yield node.value
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        yield f"{node.values[0].value}{{}}"


# The states that a verdict of ours leads to stand beside the reasons.
STATES = {"ready", "sending", "accepted", "failed", "gone", "expired", "cancelled", "unknown", "suppressed"}


def test_every_code_that_the_sources_write_has_words():
    silent = {}
    for path, source in product_sources(".py"):
        name = str(path.relative_to(ROOT))
        if not name.startswith(ROOMS) or "/migrations/" in name or any(name.startswith(one) for one in NOT_STORED):
            continue
        codes = {code for code in written(source) if code not in STATES and not has_words(code)}
        if codes:
            silent[name] = codes
    assert silent == {}


def test_a_code_that_is_written_is_found():
    assert list(written("cancel(reason='ate_the_message')")) == ["ate_the_message"]
    assert list(written("Verdict(Outcome.FAILED, 'ate_it')")) == ["ate_it"]
    assert list(written("_REASONS = {400: 'ate_it'}")) == ["ate_it"]
    assert list(written("Verdict(Outcome.FAILED, f'http_{status}')")) == ["http_{}"]


def test_what_pages_and_apps_may_report_has_words():
    assert {reason for reason in REASONS if reason} <= STATUS_REASONS.words.keys()
    assert set(StatusSerializer().fields["cause"].choices) <= STATUS_CAUSES.words.keys()


def test_the_gate_s_reasons_have_words():
    source = (ROOT / "devices/delivery/sending/gating.py").read_text()
    found = set(re.findall(r"THEN '([a-z_]+)'", source)) - {"stopped", "send"} - STATES - {"hold", "cancel", "expire"}
    assert {"never_contact", "moved", "opted_out"} <= found
    assert found - {"suppress"} <= DELIVERY_REASONS.words.keys()


@pytest.mark.parametrize("plugin", registry.PLUGINS, ids=lambda plugin: plugin.kind.name)
def test_activities_and_their_outcomes_have_words(plugin):
    kind = plugin.kind
    assert activity_words(kind=kind.name) == kind.title
    for outcome in (*dict(kind.outcomes), *kind.says, *kind.like):
        words = outcome_words(kind=kind.name, outcome=outcome)
        assert words
        assert words != outcome
    assert kind.like.keys() <= kind.says.keys()


def test_every_choice_of_our_models_has_a_label():
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.concrete_fields:
                for value, words in field.choices or ():
                    if isinstance(field, models.CharField) and value:
                        assert str(words) != value, f"{model.__name__}.{field.name}: {value}"


def test_words_are_plain():
    for table in TABLES:
        for code, words in table.words.items():
            assert "_" not in words, code
            assert not words.endswith("."), code


def test_a_code_without_words_fails_here_and_is_shown_in_an_installation(settings):
    table = code_table("reason", {"known": "as is known"}, opened={"http_": "refused ({})"})
    assert (table.of(""), table.of("known"), table.of("http_418")) == ("", "as is known", "refused (418)")
    with pytest.raises(UnknownCode, match="'new_one'"):
        table.of("new_one")
    settings.SMARTPUSH_UNKNOWN_CODES_RAISE = False
    assert table.of("new_one") == "another reason (new_one)"
