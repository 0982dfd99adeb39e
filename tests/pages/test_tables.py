"""What Compare, Classes and Concepts share: navigation, links to sets, kinds of images, files."""

import io
import re
import shutil

import pyarrow.parquet as pq
import pytest

from pages._view import exports
from pages._view.tables import asks, concepts
from pages._view.words import phrases
from sing_core.leakage import classes_answer, scored_sets
from tests import reference
from tests.pages.driver import App
from tests.pages.tables import KIND, SET, frame

pytestmark = pytest.mark.slow  # whole pages


def test_the_three_pages_are_in_the_navigation():
    app = App()
    for name in ("compare", "classes", "concepts"):
        assert app.open(name).errors == []
        assert len(app.at.dataframe) >= 1


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


def test_only_lite2_says_that_it_shares_its_tower(page):
    for name in ("classes", "concepts"):
        assert not [i for i in page(name).at.info if "own image tower" in i.value]
        assert [i for i in page(name, model="lite2").at.info if "own image tower" in i.value]
    assert [i for i in page("compare").at.info if "EfficientNet-Lite2 is measured" in i.value]


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
