"""Flows of version 1, as 0.3.0 stored them, become version 2 without a change of meaning."""

import pytest

from campaigns.activities import registry
from campaigns.journey.compile import compile_flow, graph_of
from campaigns.journey.parse import parse
from campaigns.journey.upgrade import draft_upgrade, graph_upgrade
from campaigns.journey.validate import validate
from tests.support.flows_version_1 import DRAFT, GRAPH


def test_a_draft_keeps_its_settings_and_branches():
    assert draft_upgrade(DRAFT) == {
        "version": 2,
        "start": "a1",
        "activities": [
            {
                "key": "a1",
                "kind": "popup",
                "settings": {"popup": 7, "timeout": 600},
                "next": {"allowed": "a2", "no_answer": "a4"},
            },
            {"key": "a2", "kind": "delay", "settings": {"seconds": 60}, "next": {"*": "a3"}},
            {"key": "a3", "kind": "push", "settings": {"push": 8, "target_devices": "web"}, "next": {}},
            {"key": "a4", "kind": "stop", "settings": {}, "next": {}},
        ],
    }


def test_an_upgraded_draft_compiles_to_the_upgraded_graph():
    flow = parse(draft_upgrade(DRAFT), kinds=registry.kinds())
    assert validate(flow=flow, usable={"popup": {7}, "push": {8}}) == []
    assert graph_of(flow=flow, steps=compile_flow(flow=flow)) == graph_upgrade(GRAPH)


@pytest.mark.parametrize(
    "kept",
    [
        {},
        None,
        [],
        "nonsense",
        {"version": 1},
        {"version": 1, "activities": "none", "steps": []},
        {"version": 3, "activities": [], "steps": {}},
    ],
)
def test_what_cannot_be_read_stays_as_it_is(kept):
    assert draft_upgrade(kept) == kept
    assert graph_upgrade(kept) == kept


def test_what_is_upgraded_stays():
    assert draft_upgrade(draft_upgrade(DRAFT)) == draft_upgrade(DRAFT)
    assert graph_upgrade(graph_upgrade(GRAPH)) == graph_upgrade(GRAPH)


@pytest.mark.parametrize(
    "row", [3, None, {}, {"key": "a1", "kind": []}, {"key": "a1", "kind": "push", "push": "x", "next": 4}]
)
def test_a_broken_activity_becomes_no_error(row):
    upgraded = draft_upgrade({"version": 1, "start": "a1", "activities": [row]})
    assert parse(upgraded, kinds=registry.kinds()).problems
