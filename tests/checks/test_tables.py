"""The page of tables is what the models say, and the check fails when it is not."""

import pytest

from tests.checks import tables


def test_the_page_is_current():
    assert tables.main([]) == 0


def test_a_page_that_is_behind_the_models_is_refused(tmp_path, monkeypatch, capsys):
    behind = tmp_path / "tables.md"
    behind.write_text(tables.page().replace("Enrolment", "Enrollment"))
    monkeypatch.setattr(tables, "PAGE", behind)
    assert tables.main([]) == 1
    assert "--write" in capsys.readouterr().out
    assert tables.main(["--write"]) == 0
    assert tables.main([]) == 0


def test_every_table_says_what_it_is():
    silent = [model.__name__ for rows in tables.tables().values() for model in rows if not tables._summary(model)]
    assert not silent


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("Enrolment", "  Campaign ||..o{ Enrolment : campaign"),
        ("Enrolment", "  Brand ||..o{ Enrolment : brand_id"),
        ("Campaign", "  Segment ||--o{ Campaign : segment"),
    ],
)
def test_references_are_drawn_as_the_database_holds_them(model, line):
    assert line in tables.page()
    assert model in tables.page()
