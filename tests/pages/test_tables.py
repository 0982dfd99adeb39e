"""Compare, Classes and Concepts on the embedded set: numbers, words, links, and bad input."""

import io
import json
import re
import shutil
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from pages._view import exports
from pages._view.tables import asks, cells, compare, concepts
from pages._view.words import phrases
from sing_core.leakage import classes_answer, scored_sets
from sing_core.leakage.superclasses import superclasses
from tests import reference
from tests.command import command
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages

SET = "embedded"


@pytest.fixture
def page():
    """Open a page by name with query parameters."""
    return App.at_page


def test_the_three_pages_are_in_the_navigation():
    app = App()
    for name in ("compare", "classes", "concepts"):
        assert app.open(name).errors == []
        assert len(app.at.dataframe) >= 1


def frame(app, column):
    """The table whose first column this is."""
    (found,) = (d.value for d in app.at.dataframe if d.value.columns[0] == column)
    return found


def said(app):
    return " ".join(element.value for element in app.at.markdown)


def printed(*arguments):
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_classes_page_shows_what_the_command_line_prints(page):
    app = page("classes")
    shown = frame(app, "class").set_index("wnid")
    rows = printed("classes", "--model", "lite0", "--set", SET)
    assert len(shown) == len(rows) == 1000
    for row in rows:
        own = shown.loc[row["wnid"]]
        for name in ("n", "as_mean", "abs_as_mean", "is_mean", "directed_mean", "contrast_mean"):
            assert own[name] == pytest.approx(row[name], abs=1e-12)
        for name in ("as_low", "as_high", "p_adjusted", "contrast_p_adjusted"):
            assert (row[name] is None) == bool(np.isnan(own[name]))
        assert own["verdict"] == row["verdict"]


def test_the_scores_are_those_of_the_formulas_on_the_committed_features():
    bench = asks.loaders.bench()
    text = bench.vocabulary("mini").embeddings.double().numpy()
    for model in ("lite0", "lite1", "lite2"):
        scored = scored_sets.open_set(bench, model, images=SET)
        rows = scored.ask("SELECT * FROM images ORDER BY row").to_pylist()
        assert len(rows) >= 4000 - 10
        chunk = scored.folder.chunk(model, bench.entry(model).weights_digest, 3)
        null = bench.classifier(model).linear.head.null_basis.numpy()
        translator = bench.translator(model, "mini")
        of = {row["row"]: row for row in rows}
        for place in range(0, len(chunk.images), 100):
            row, feature = of[chunk.images[place].row], chunk.features[place].double().numpy()
            matrix, intercept = translator.weight, translator.bias
            z = reference.translate(feature, matrix, intercept)
            moved = reference.translate(feature - null @ (null.T @ feature), matrix, intercept)
            own = reference.attribute_score_deg(z, moved, text[row["label"]])
            assert row["attribute_score_deg"] == pytest.approx(own, abs=1e-4)
            expected = reference.image_score_deg(z, moved)
            assert row["image_score_deg"] == pytest.approx(expected, abs=1e-4)


def test_the_classes_page_says_what_is_not_decided(page):
    text = said(page("classes"))
    assert "800 classes have too few images for a test: **not decided**" in text
    assert text.startswith("**None beyond chance**: of 200 classes that can be tested")
    assert "With the name of a random other class in place of the own, 0.0 % are decided." in text
    assert "beside the names of all classes: −0" in text
    assert "(pooled; 64-pixel image −0" in text.replace("\\-", "-")


def test_search_and_filter_narrow_the_table_and_land_in_the_url(page):
    app = page("classes", q="fish", least="2")
    labels = list(frame(app, "class")["class"])
    assert labels
    assert all("fish" in label for label in labels)
    assert (frame(app, "class")["n"] >= 2).all()
    assert (app.query["q"], app.query["least"]) == ("fish", "2")
    app.at.text_input(key="classes.q").set_value("no such thing").run()
    assert "has this in its name" in app.at.info[0].value


def test_a_group_keeps_its_classes_and_lands_in_the_url(page):
    app = page("classes", group="Fish")
    names = set(frame(app, "class")["class"])
    assert {"goldfish", "pufferfish"} <= names
    assert len(names) == len(superclasses()["Fish"]) == 16
    app.at.selectbox(key="classes.group").select("Birds").run()
    assert app.query["group"] == "Birds"
    assert "ostrich" in set(frame(app, "class")["class"])


def test_one_class_is_shown_down_to_its_images(page):
    app = page("classes", **{"class": "goldfish"})
    images = frame(app, "name")
    row = frame(app, "class").set_index("class").loc["goldfish"]
    assert len(images) == row["n"] == 16
    assert images["attribute_score_deg"].mean() == pytest.approx(row["as_mean"], abs=1e-12)
    assert app.query["class"] == "goldfish"


def violins(app):
    """The traces of the page's violins."""
    (found,) = (
        json.loads(chart.proto.spec)["data"]
        for chart in app.at.get("plotly_chart")
        if chart.proto.id.endswith("classes.violins")
    )
    return found


def test_two_models_come_with_their_rank_correlation(page):
    app = page("classes", versus="lite1", least="2")
    assert "Over 200 classes with at least 4 images, one half" in said(app)
    signed, size = printed(
        "classes", "--model", "lite0", "--versus", "lite1", "--set", SET
    )  # fmt: skip
    assert signed["verdict"] in ("agree", "disagree", "not decided")
    for row, name in ((signed, "mean AS"), (size, "mean |AS|")):
        assert f"{name}: ρ {phrases.number(row['rho'], '+.2f')} [" in said(app)
        assert row["rho_low"] <= row["rho"] <= row["rho_high"]
        assert row["reliability_first_low"] <= row["reliability_first"]
        assert (row["classes"], row["n"]) == (200, 3200)
    legends = {trace["name"] for trace in violins(app) if trace.get("showlegend")}
    assert legends == {"EfficientNet-Lite0", "EfficientNet-Lite1"}


def test_only_lite2_says_that_it_shares_its_tower(page):
    for name in ("classes", "concepts"):
        assert not [i for i in page(name).at.info if "own image tower" in i.value]
        assert [i for i in page(name, model="lite2").at.info if "own image tower" in i.value]
    assert [i for i in page("compare").at.info if "EfficientNet-Lite2 is measured" in i.value]


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


@pytest.mark.parametrize(
    ("name", "words"),
    [("classes", "**None beyond chance**: of 200"), ("concepts", "**Without their null part the")],
)
def test_the_answer_stands_above_what_can_be_asked(page, name, words):
    app = page(name)
    first = app.at.main.children
    order = [element.type for element in _flat(first)]
    assert order.index("markdown") < order.index("selectbox")
    assert app.at.markdown[0].value.startswith(words)


def _flat(blocks):
    for block in blocks.values():
        yield from _flat(block.children) if hasattr(block, "children") else [block]


def test_concepts_names_the_strongest_with_its_size(page):
    app = page("concepts", of="goldfish")
    rows = frame(app, "concept")
    told = []
    for way, sign in (("towards", 1), ("away", -1)):
        moved = rows[rows["verdict"] == way]
        assert (moved["directed_mean"] * sign > 0).all()
        row = moved.loc[moved["directed_mean"].abs().idxmax()]
        told.append((len(moved), f"{row['concept']} ({abs(row['directed_mean']):.3f}°)"))
    (nearer, first_near), (further, first_far) = told
    assert app.at.markdown[0].value.split("**")[1] == (
        f"Without their null part the images turn towards {nearer} of {len(rows)} concepts, "
        f"most of all {first_near}, and away from {further}, most of all {first_far}."
    )
    assert "All images of this class are of one kind: 64-pixel image. Of the whole set: " in (
        " ".join(app.captions).replace("\\", "")
    )
    assert set(rows["untouched"]) | set(rows["spurious"]) <= {"yes", "–"}, "no boxes to tick"


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


def test_a_link_to_a_class_that_is_not_there_is_said(page):
    app = page("classes", **{"class": "nope"})
    assert app.warnings == [
        "The link asks for a class that cannot be used; the default is shown instead."
    ]
    assert "class" not in app.query
    assert page("classes", **{"class": "goldfish"}).warnings == []


def test_a_link_to_a_concept_that_is_not_in_the_list_is_said(page):
    app = page("concepts", list="goldfish\nlemon", concept="nope")
    assert any("a concept that cannot be used" in text for text in app.warnings)
    assert app.at.selectbox(key="concepts.concept").value == "goldfish"


def test_an_interval_stands_in_the_cell_of_its_number(page):
    app = page("concepts", list="goldfish\nlemon")
    (table,) = (d for d in app.at.dataframe if d.value.columns[0] == "concept")
    row = table.value.iloc[0]
    shown = cells.span(row["as_mean"], row["as_low"], row["as_high"], "+.3f")
    assert shown in table.proto.arrow_data.styler.display_values.decode("utf-8", "replace")
    order = json.loads(table.proto.columns)
    assert order["as_low"]["hidden"]
    assert list(table.proto.column_order)[:5] == [
        "verdict", "concept", "directed_mean", "p_adjusted", "as_mean"
    ]  # fmt: skip
    assert order["p_adjusted"]["label"] == "its p"


def test_the_images_of_a_class_are_scored_towards_the_chosen_concept(page):
    app = page("concepts", list="goldfish\nlemon", of="goldfish", concept="lemon")
    images, rows = frame(app, "name"), frame(app, "concept").set_index("concept")
    assert len(images) == rows.loc["lemon"]["n"] == 16
    mean = images["attribute_score_deg"].mean()
    assert mean == pytest.approx(rows.loc["lemon"]["as_mean"], abs=1e-9)
    assert app.query["concept"] == "lemon"


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


def test_the_concepts_page_shows_what_the_command_line_prints(page):
    app = page("concepts", list="goldfish\njellyfish\nlemon", of="goldfish")
    shown = frame(app, "concept").set_index("concept")
    rows = printed(
        "concepts", "--model", "lite0", "--set", SET, "--class", "goldfish",
        "--concept", "goldfish", "--concept", "jellyfish", "--concept", "lemon",
    )  # fmt: skip
    assert [row["concept"] for row in rows] == list(shown.index)
    for row in rows:
        for name in ("angle_before", "angle_after", "as_mean", "p_adjusted", "p_equivalent"):
            assert shown.loc[row["concept"]][name] == pytest.approx(row[name], abs=1e-9)
        assert shown.loc[row["concept"]]["verdict"] == row["verdict"]
    app.at.session_state["concepts.command"] = True  # as unfolding it does
    app.run()
    assert "--concept jellyfish" in app.at.code[0].value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("!!!", "no usable line"), ("\n".join(map(str, range(100))) * 60, "up to 5,000")],
    ids=["nothing", "too many"],
)
def test_a_list_that_cannot_be_used_gets_a_sentence_and_the_form_stays(page, text, sentence):
    app = page("concepts")
    app.at.text_area(key="concepts.list").set_value(text)
    app.at.button[0].click().run()
    assert any(sentence in message for message in app.errors)
    assert app.at.text_area(key="concepts.list").value == text


def test_lines_left_out_are_named(page):
    app = page("concepts", list="goldfish\n???\ngoldfish")
    assert any("“???”" in text for text in app.warnings)


@pytest.mark.parametrize("name", ["classes", "compare", "concepts"])
def test_a_link_to_a_set_that_is_not_here_is_answered(page, name):
    app = page(name, set="nowhere")
    assert any("a prepared set that cannot be used" in text for text in app.warnings)
    assert len(app.at.dataframe) >= 1


@pytest.mark.parametrize("name", ["classes", "compare", "concepts"])
def test_without_any_prepared_set_the_page_says_what_to_run(page, assets, cache, name):
    shutil.rmtree(cache / "prepared", ignore_errors=True)
    app = page(name)
    assert "python -m sing_core prepare" in app.at.info[0].value


def test_the_files_to_take_away_hold_every_row():
    rows = [{"class": "a", "as_mean": 0.1, "p_adjusted": None}, {"class": "b", "as_mean": -1 / 3}]
    text = exports.csv_of(rows).decode()
    assert text.splitlines()[0] == "class,as_mean,p_adjusted"
    assert "-0.3333333333333333" in text
    table = pq.read_table(io.BytesIO(exports.parquet_of(rows)))
    assert table["as_mean"].to_pylist() == [0.1, -1 / 3]


def test_the_pages_have_their_words():
    assert classes_answer.summary([]).startswith("No class has the two images")
    assert phrases.interval(asks.comparison.Interval(1.0, None, None, 1)) == (
        "1.000° (no interval from one class)"
    )
    assert "\n" in concepts.DEFAULT_LIST


def test_the_network_joins_what_means_nearly_the_same(page):
    app = page("concepts", view="network")
    (chart,) = app.at.get("plotly_chart")
    lines, nodes = json.loads(chart.proto.spec)["data"]
    assert "goldfish" in nodes["text"]
    assert len(nodes["text"]) == 24
    assert lines["mode"] == "lines"
    assert app.query["view"] == "network"


KIND = "64-pixel image"


@pytest.mark.parametrize("name", ["compare", "classes", "concepts"])
def test_one_kind_of_images_is_chosen_in_the_link_and_all_are_said_to_be_pooled(page, name):
    options = {"compare": {"models": "lite0"}, "concepts": {"of": "all", "list": "lemon"}}.get(
        name, {}
    )
    whole = page(name, **options)
    assert "stratum" not in whole.query
    (note,) = (c.value for c in whole.at.caption if "**Pooled** over" in c.value)
    assert "Cross-fitted: each is scored by a translator that was fitted without it." in note
    assert re.search(r"[\d,]+ of 4,000 images fitted the translator and trained \*\*mini", note)
    one = page(name, stratum=KIND, **options)
    assert one.query["stratum"] == KIND
    (note,) = (c.value for c in one.at.caption if "Only images of one kind" in c.value)
    assert "None of the 3,200 images took part in the fit" in note
    column = {"compare": "model", "classes": "class", "concepts": "concept"}[name]
    assert set(frame(one, column)["stratum"]) == {KIND}
    assert len(frame(one, column)) <= len(frame(whole, column))
    wrong = page(name, stratum="paintings", **options)
    assert any("a kind of images that cannot be used" in text for text in wrong.warnings)


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
