"""Language tags have one reader: what they mean, which text is served, and whom a language selects."""

import pytest

from smartpush.common.language.languages import (
    canonical,
    direction_of,
    known_language,
    language_choice,
    language_clean,
    language_label,
    language_pick,
    language_same,
    language_short,
    language_valid,
    wanted_range,
)


@pytest.mark.parametrize(
    ("sent", "kept", "means"),
    [
        ("en", "en", "en-Latn"),
        ("en-GB", "en-GB", "en-Latn-GB"),
        ("EN_gb", "en-GB", "en-Latn-GB"),
        (" en-US-u-nu-latn ", "en-US", "en-Latn-US"),
        ("en_US.UTF-8", "en-US", "en-Latn-US"),
        ("en-UK", "en-UK", "en-Latn-GB"),
        ("eng", "eng", "en-Latn"),
        ("zh", "zh", "zh-Hans"),
        ("zh-CN", "zh-CN", "zh-Hans-CN"),
        ("zh-TW", "zh-TW", "zh-Hant-TW"),
        ("zh-HK", "zh-HK", "zh-Hant-HK"),
        ("zh-Hant-TW", "zh-Hant-TW", "zh-Hant-TW"),
        ("zh-Hans-HK", "zh-Hans-HK", "zh-Hans-HK"),
        ("zh-yue-HK", "zh-yue-HK", "yue-Hant-HK"),
        ("pt-BR", "pt-BR", "pt-Latn-BR"),
        ("pt-PT", "pt-PT", "pt-Latn-PT"),
        ("sr", "sr", "sr-Cyrl"),
        ("sr-Latn", "sr-Latn", "sr-Latn"),
        ("sr_RS@latin", "sr-Latn-RS", "sr-Latn-RS"),
        ("sr-ME", "sr-ME", "sr-Latn-ME"),
        ("sh", "sh", "sr-Latn"),
        ("no", "no", "no-Latn"),
        ("nb-NO", "nb-NO", "no-Latn-NO"),
        ("nn", "nn", "no-Latn"),
        ("no-nyn", "no-nyn", "no-Latn"),
        ("zh-min-nan", "zh-min-nan", "nan-Hans"),
        ("iw-IL", "iw-IL", "he-Hebr-IL"),
        ("in", "in", "id-Latn"),
        ("mo-MD", "mo-MD", "ro-Latn-MD"),
        ("tl-PH", "tl-PH", "fil-Latn-PH"),
        ("es-419", "es-419", "es-Latn-419"),
        ("pa-PK", "pa-PK", "pa-Arab-PK"),
        ("prs", "prs", "fa-Arab-AF"),
        ("en-Qaai", "en-Qaai", "en-Zinh"),
        ("de-DE-1996", "de-DE-1996", "de-Latn-DE"),
        ("de-DE-1996-heploc1", "de-DE-1996", "de-Latn-DE"),
        ("xx-YY", "xx-YY", "xx-YY"),
    ],
)
def test_a_tag_is_kept_tidied_and_means_a_language_in_a_script_and_where_it_says_so_a_region(sent, kept, means):
    assert (language_clean(sent), canonical(sent), canonical(kept)) == (kept, means, means)


@pytest.mark.parametrize("sent", ["", "C", "POSIX", "C.UTF-8", "english", "root", "x-klingon", "1", "é", "-", "\ud800"])
def test_what_is_no_tag_is_kept_as_none(sent):
    assert (language_clean(sent), canonical(sent), wanted_range(sent), language_valid(sent)) == ("", "", "", False)


@pytest.mark.parametrize("sent", ["und", "mul", "zxx", "und-TW"])
def test_a_tag_of_no_language_means_none(sent):
    assert (canonical(sent), language_valid(sent)) == ("", False)


@pytest.mark.parametrize(
    ("wanted", "written", "served"),
    [
        ("nb-NO", "no", "no"),
        ("no", "nb", "nb"),
        ("nn-NO", "nb", "nb"),
        ("nb-NO", "no nb nn", "nb"),
        ("nn-NO", "nb-NO nn", "nn"),
        ("no-NO", "nn nb", "nb"),
        ("nb", "nn no", "no"),
        ("en-GB", "en-GB en", "en-GB"),
        ("en-GB", "en", "en"),
        ("EN_gb", "en-GB", "en-GB"),
        ("en-GB", "en-US", "default"),
        ("en", "en-GB", "default"),
        ("en", "en-GB en-US", "en-US"),
        ("pt-PT", "pt-BR", "default"),
        ("pt-PT", "pt-BR pt", "pt"),
        ("pt", "pt-PT pt-BR", "pt-BR"),
        ("pt-AO", "pt-PT", "default"),
        ("zh-Hant-TW", "zh-TW zh", "zh-TW"),
        ("zh-TW", "zh-Hant zh", "zh-Hant"),
        ("zh-HK", "zh-Hant zh", "zh-Hant"),
        ("zh-HK", "zh-TW", "default"),
        ("zh-HK", "zh-CN", "default"),
        ("zh-HK", "zh", "zh"),
        ("zh", "zh-CN zh-TW", "zh-CN"),
        ("zh-Hant", "zh-Hant-CN", "default"),
        ("zh-TW", "zh-Hant-TW zh-TW", "zh-TW"),
        ("sr-RS", "sr-Latn sr", "sr"),
        ("sr-ME", "sr-Latn sr", "sr-Latn"),
        ("sr-Latn-RS", "sr", "sr"),
        ("sh", "sr-Latn", "sr-Latn"),
        ("he-IL", "iw", "iw"),
        ("he-IL", "iw he", "iw"),
        ("iw", "he", "he"),
        ("id-ID", "in", "in"),
        ("ro-MD", "mo", "mo"),
        ("fil-PH", "tl", "tl"),
        ("eng-GB", "en", "en"),
        ("und", "zh en", "default"),
        ("C", "zh en", "default"),
    ],
)
def test_the_text_that_is_served_is_the_nearest_and_never_another_regions(wanted, written, served):
    assert language_pick(written=written.split(), wanted=[wanted], default="default") == served


def test_the_first_wanted_language_that_is_written_is_served():
    def served(*wanted):
        return language_pick(written=["de", "el", "en"], wanted=wanted, default="en")

    assert served("fr", "el-GR", "de") == "el"
    assert served("C", "", "de-AT") == "de"
    assert served("fr", "it") == "en"
    assert served() == "en"


@pytest.mark.parametrize(
    ("language", "begins"),
    [("en", "en"), ("en-GB", "en-Latn-GB"), ("zh", "zh"), ("zh-Hant", "zh-Hant"), ("zh-tw", "zh-Hant-TW"),
     ("sr", "sr"), ("sr-Latn", "sr-Latn"), ("nb", "no"), ("nn-NO", "no-Latn-NO"), ("iw", "he"), ("sh", "sr-Latn")],
)  # fmt: skip
def test_a_language_alone_stands_for_every_script_and_region(language, begins):
    assert wanted_range(language) == begins
    assert canonical(language).startswith(begins)


def test_tags_are_the_same_language_by_what_they_mean_and_relatives_are_two():
    assert language_same("iw", "he")
    assert language_same("pt-br", "pt-BR")
    assert language_same("zh-TW", "zh-Hant-TW")
    assert not language_same("nb", "nn")
    assert not language_same("nb", "no")
    assert not language_same("en", "en-US")
    assert not language_same("", "C")


def test_canonical_tags_are_shown_as_people_write_them():
    assert [language_short(tag) for tag in ("en-Latn-GB", "zh-Hant-TW", "no-Latn", "sr-Latn-RS", "", "xx")] == [
        "en-GB", "zh-TW", "no", "sr-Latn-RS", "", "xx",
    ]  # fmt: skip
    assert [language_label(tag) for tag in ("en", "pt-BR", "sr-Latn", "zh-TW", "xx")] == [
        "English", "Portuguese (Brazil)", "Serbian (Latin)", "Chinese (Taiwan)", "xx",
    ]  # fmt: skip
    assert [language_choice(tag) for tag in ("en-GB", "xx")] == ["English (UK) · en-GB", "xx"]


def test_direction_goes_by_the_script():
    right = [tag for tag in ("ar", "he-IL", "iw", "fa", "ur", "pa-PK", "az-IR", "ckb", "dv", "yi", "ug") if
             direction_of(tag) == "rtl"]  # fmt: skip
    assert len(right) == 11
    assert {direction_of(tag) for tag in ("en", "pa-IN", "az", "ar-Latn", "zh", "", "C")} == {"ltr"}


def test_only_languages_that_have_a_name_can_be_opened():
    assert [known_language(tag) for tag in ("pt_pt", "nb", "xx", "C", "")] == ["pt-PT", "nb", "", "", ""]
