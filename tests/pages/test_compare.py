"""The Compare page on the embedded set: its answer, its table, its links, and steering."""

import re
from collections import Counter

import pytest

from pages._view.tables import cells, compare
from pages._view.words import phrases
from tests.pages.tables import KIND, SET, frame, printed, said

pytestmark = pytest.mark.slow  # whole pages


def test_the_compare_page_shows_what_the_command_line_prints(page):
    app = page("compare")
    shown = frame(app, "model").set_index("model")
    assert {"model", *shown.columns} == compare.columns().keys()  # each has words of its own
    for row in printed("compare", "--set", SET):
        for name, value in row.items():
            if isinstance(value, float):
                assert shown.loc[row["model"]][name] == pytest.approx(value, abs=1e-12), name
    text = said(app)
    assert "280 of 1,280 dimensions" in text
    assert "random subspaces that remove as much" in text


def test_compare_answers_first_and_holds_against_each_other_what_may_be(page):
    app = page("compare")
    first, *others = (element.value for element in app.at.markdown)
    assert first.startswith("**Wh")
    assert "EfficientNet-Lite0" in first
    assert "(95 %: −" in first
    assert "Not ranked: EfficientNet-Lite2 (its own image tower) and ViT-S/14" in first
    pairs = printed("compare", "--set", SET, "--paired")
    verdicts = Counter(row["verdict"] for row in pairs)
    assert verdicts["not comparable"] == sum(bool(row["barrier"]) for row in pairs) == 15
    (listed,) = (text for text in others if text.startswith("- IS, "))
    assert listed.count("\n") + 1 == len(pairs) - verdicts["not comparable"]
    assert listed.count("**not decided**.") == verdicts["not decided"]
    assert listed.count("**kinds of images differ**.") == verdicts["differs by kind of images"]
    assert "Lite2" not in listed
    assert "ViT" not in listed


def test_no_number_of_compares_table_is_cut_off_or_minus_nothing(page):
    app = page("compare")
    (table,) = (d for d in app.at.dataframe if d.value.columns[0] == "model")
    shown = table.proto.arrow_data.styler.display_values.decode("utf-8", "replace")
    row = table.value.set_index("model").loc["lite0"]
    for name, form in (("abs_attribute_score", ".3f"), ("above_energy", "+.3f"), ("ratio", ".1f")):
        assert cells.span(row[name], row[f"{name}_low"], row[f"{name}_high"], form) in shown
    assert "−0.000" not in shown
    assert re.search(r"-\d\.", shown) is None


def test_a_link_to_classifiers_that_are_not_there_is_said_and_all_are_compared(page):
    app = page("compare", models="nope,neither")
    (warning,) = app.at.warning
    assert "asks for classifiers that cannot be used" in warning.value
    assert app.at.multiselect(key="compare.models").value == ["lite0", "lite1", "lite2", "vits"]


def test_a_link_that_names_a_classifier_twice_compares_it_once(page):
    app = page("compare", models="lite0,lite0")
    assert app.at.multiselect(key="compare.models").value == ["lite0"]
    assert (app.errors, app.query["models"]) == ([], "lite0")


def test_a_link_to_a_classifier_that_is_not_there_is_said_and_the_others_are_compared(page):
    app = page("compare", models="lite0,no_pe")
    (warning,) = app.warnings
    assert warning == (
        "The link also asks for “no\\_pe”, which has no scores here; the others are compared."
    )
    assert app.at.multiselect(key="compare.models").value == ["lite0"]


def test_compare_writes_one_minus(page):
    text = said(page("compare", models="lite0,lite1"))
    assert "−" in text
    assert re.search(r"-\d", text) is None


def test_the_compare_page_steers_when_asked(page):
    app = page("compare", models="lite0")
    assert "sd " not in said(app)
    (button,) = app.at.button
    button.click().run()
    assert "of 4,000 images cannot reach IS = 40°" in said(app)
    (row,) = printed(
        "compare", "--model", "lite0", "--set", SET, "--prompt", "an image of a red fox"
    )
    assert f"|AS| {row['abs_as']:.3f}°" in said(app)


def test_compare_shows_every_difference_by_kind_of_images(page):
    app = page("compare", models="lite0,lite1")
    pooled = printed("compare", "--set", SET, "--model", "lite0", "--model", "lite1", "--paired")
    each = printed(
        "compare", "--set", SET, "--model", "lite0", "--model", "lite1", "--paired",
        "--stratum", "each",
    )  # fmt: skip
    kinds = [KIND, "full photograph", "all (pooled)"]
    assert [row["stratum"] for row in each] == [kind for kind in kinds for _ in range(3)]
    assert each[6:] == pooled
    for row in each[:6]:
        assert phrases.number(row["difference"], "+.3f") in said(app)
    split = [row for row in each[:6] if row["measure"] == "abs_attribute_score_deg"]
    verdicts = {row["verdict"] for row in split}
    (row,) = (row for row in pooled if row["measure"] == "abs_attribute_score_deg")
    assert (row["verdict"] in verdicts) == (len(verdicts) == 1)
    depends = "depends on the kind of images" in app.at.markdown[0].value
    assert depends == (row["verdict"] == "differs by kind of images")
