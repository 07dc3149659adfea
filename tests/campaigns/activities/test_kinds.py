"""What every activity of the registry must keep to, and that nothing but its folder knows it by name."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from campaigns.activities import registry
from campaigns.journey.kinds import Widget
from campaigns.models import Enrolment, StepRun
from devices.models import PopupOffer

ROOT = Path(__file__).resolve().parents[3]
EDITOR = ROOT / "campaigns/static/campaigns/flow.js"
WIDTHS = [
    *(Enrolment._meta.get_field(name).max_length for name in ("at_kind", "waiting_for")),
    *(StepRun._meta.get_field(name).max_length for name in ("kind", "outcome")),
]
every_activity = pytest.mark.parametrize("plugin", registry.PLUGINS, ids=lambda plugin: plugin.kind.name)


@every_activity
def test_names_and_outcomes_fit_into_their_columns_and_are_told_apart(plugin):
    outcomes = [outcome for outcome, _ in plugin.kind.outcomes]
    assert len({*outcomes, *plugin.kind.like}) == len(outcomes) + len(plugin.kind.like)
    assert all(0 < len(name) <= min(WIDTHS) for name in (plugin.kind.name, *outcomes, *plugin.kind.like))
    assert set(plugin.kind.like.values()) <= set(outcomes)
    assert len(registry.plugins()) == len(registry.PLUGINS)


@every_activity
def test_settings_are_frozen_described_and_kept_as_json(plugin):
    settings = plugin.kind.settings()
    assert json.loads(json.dumps(dataclasses.asdict(settings))) == dataclasses.asdict(settings)
    assert plugin.kind.fields.keys() == dataclasses.asdict(settings).keys()
    assert plugin.kind.settings.__dataclass_params__.frozen
    for field in plugin.kind.fields.values():
        assert field.label
        assert (field.widget is Widget.CHOICE) == bool(field.choices)
        if field.widget in (Widget.NUMBER, Widget.DURATION, Widget.TEXT):
            assert field.most >= field.least


@every_activity
def test_an_activity_with_a_resource_says_where_it_comes_from(plugin):
    assert bool(plugin.kind.resource_field) == (plugin.resources is not None)


def test_every_way_that_an_offer_may_end_leads_somewhere():
    """A popup's journey goes on by the state of its offer, whatever that is."""
    kind = registry.kinds()["popup"]
    ends = {state for state in PopupOffer.State.values if state not in ("pending", "leased", "shown")}
    assert ends <= {outcome for outcome, _ in kind.outcomes} | kind.like.keys()


def test_the_editor_draws_every_widget_and_knows_no_activity_by_name():
    source = EDITOR.read_text()
    draws = re.search(r"const draw = \{(.*?)\};", source, re.DOTALL)
    assert draws is not None
    assert set(re.findall(r"(\w+): this\.", draws[1])) == {str(widget) for widget in Widget}
    quoted = set(re.findall(r"['\"`](\w+)['\"`]", source))
    assert not quoted & registry.plugins().keys()
