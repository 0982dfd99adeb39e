"""The Validate page: what it computes, its link, its downloads, and what without its files."""

import json
import re
import shlex
from itertools import product

import pytest
from PIL import Image

from sing_core.files.samples import SAMPLES
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.training import LOSSES
from sing_core.settings import Settings
from sing_core.studies.translator_table import comparison_path, read_comparisons, read_trainings
from tests.command import command, in_a_shell
from tests.pages.conftest import forget_everything
from tests.pages.driver import App

LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def validate(**query):
    """The page as somebody finds it who opens a link."""
    app = App().open("method")
    for name, value in query.items():
        app.at.query_params[name] = value
    return app.open("validate")


def medians(app):
    facts = {name: value for name, (value, _) in app.facts.items() if "Median" in name}
    return {name: read(value) for name, value in facts.items()}


def read(size):
    """The number that a size in words stands for: a plain decimal, or ``5.2 × 10⁻¹⁶``."""
    factor, _, power = size.partition(" × 10")
    return float(factor) * 10.0 ** int(power.translate(LOWERED) or 0)


@pytest.mark.slow
def test_a_first_visitor_sees_that_null_steps_move_nothing():
    app = validate()
    assert (app.errors, app.warnings) == ([], [])
    assert app.facts["Rank"][0] == "1000 of 1280"
    assert app.facts["Nullity"][0] == "280"
    found = medians(app)
    null = found.pop("Median change, null")
    assert null <= 1e-6
    assert min(found.values()) >= 1e3 * null
    words = " ".join(element.value for element in app.at.markdown)
    first, *_ = (element.value for element in app.at.markdown)
    assert first.startswith("**The null space is null: yes.**")
    (told,) = re.findall(r"EfficientNet-Lite0 by (.+?) of their length", first)
    assert read(told) == pytest.approx(null, rel=0.35), "one digit of the two on its tile"
    assert not any("e" in app.facts[name][0] for name in app.facts), "no number is in code"
    assert f"that the head reads by {found['Median change, class row']:.2g}" in first
    assert "On these 6 images" in words
    mean = float(re.search(r"is \*\*([\d.]+)\*\* on average", words).group(1))
    assert float(re.search(r"mean cosine is ([\d.]+),", first).group(1)) == round(mean, 2)
    command, tables = read_comparisons(Settings())
    for table in tables.values():
        assert table.verdict in words
    assert any(command in text for text in app.captions)
    costs = app.at.dataframe[0].value
    assert list(costs["null space"]) == sorted(costs["null space"])
    assert costs["drift"].is_monotonic_increasing
    shown = app.at.dataframe[1].value
    assert set(shown["architecture"]) == {row.architecture for row in tables["photos"].rows}
    assert app.query == {}


@pytest.mark.slow
def test_classifier_and_seed_are_in_the_link_and_decide():
    app = validate(model="lite1", seed="7")
    assert app.at.selectbox(key="validate.model").value == "lite1"
    assert app.at.number_input(key="validate.seed").value == 7
    linked = medians(app)
    app.at.number_input(key="validate.seed").set_value(8)
    app.run()
    assert app.query == {"model": "lite1", "seed": "8"}
    assert medians(app)["Median change, null"] <= 1e-6
    assert set(medians(app)) == set(linked)


@pytest.mark.slow
def test_a_prepared_set_is_asked_whole_and_its_command_prints_the_same():
    app = App.at_page("validate", unfolded=["validate"], images="set:embedded")
    assert (app.errors, app.warnings) == ([], [])
    first, *_ = (element.value for element in app.at.markdown)
    pooled = "800 full photographs and 3,200 64-pixel images, pooled"
    first = first.replace("\\", "")  # what Markdown would read is escaped
    assert f"(median of 4,000 images: {pooled})" in first
    assert "By kind, 64-pixel image: " in first
    assert "asked of photos, not of a set" in first
    assert any("features alone" in element.value for element in app.at.info)
    words = shlex.split(app.at.code[0].value)
    row = json.loads(command(*words[3:], "--json").stdout)
    assert (row["images"], row["cosine"], row["kinds"]) == (4_000, None, pooled)
    kinds = {one["kind"]: one for one in row["by_kind"]}
    assert {kind: one["images"] for kind, one in kinds.items()} == {
        "64-pixel image": 3_200, "full photograph": 800,
    }  # fmt: skip
    assert all(one["null_relative_change"] <= 1e-6 for one in kinds.values())
    for kind in ("random", "class row"):
        printed = row[f"{kind.replace(' ', '_')}_relative_change"]
        assert f"{printed:.2g}" == app.facts[f"Median change, {kind}"][0]
    assert f"the meaning turns by {row['null_degrees']:.0f}° and" in first
    assert validate(images="set:nobody").query == {}


@pytest.mark.slow
def test_the_command_prints_what_the_tiles_show():
    app = App.at_page("validate", unfolded=["validate"], model="lite1", seed="7")
    done = in_a_shell(f"{app.at.code[0].value} --json")
    row = json.loads(done.stdout)
    assert (row["model"], row["images"]) == ("lite1", len(SAMPLES))
    for kind in ("random", "class row"):  # a null step's change is rounding, and the machine's own
        printed = row[f"{kind.replace(' ', '_')}_relative_change"]
        assert f"{printed:.2g}" == app.facts[f"Median change, {kind}"][0]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [{"seed": "1e400"}, {"seed": "soon"}, {"model": "lite9"}])
def test_a_link_that_cannot_be_used_is_said_and_the_default_shown(bad):
    app = validate(**bad)
    assert any("cannot be used" in text for text in app.warnings)
    assert app.facts["Nullity"][0] == "280"


@pytest.mark.slow
def test_ones_own_images_can_be_validated(tmp_path, monkeypatch):
    for place in range(3):
        Image.new("RGB", (64, 64), (80 * place, 90, 200)).save(tmp_path / f"{place}.png")
    monkeypatch.setenv("SING_IMAGES_DIR", str(tmp_path))
    forget_everything()
    app = validate(images="own")
    assert "On these 3 images" in " ".join(element.value for element in app.at.markdown)
    assert app.query == {"images": "own"}
    (tmp_path / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    forget_everything()
    app = validate(images="own")
    assert any("png" in text and "damaged" in text for text in app.warnings), app.warnings
    assert app.errors == []
    monkeypatch.delenv("SING_IMAGES_DIR")
    forget_everything()


@pytest.mark.slow
def test_the_downloads_carry_what_is_shown():
    validate()
    from pages._view.validate import panels, sources

    found = sources.validation("lite0", "mini", "samples", 0)
    lines = panels.changes_csv(found).splitlines()
    assert lines[0].split(",")[:3] == ["image", "norm", "null_relative_change"]
    assert len(lines) == 7
    moved = found.perturbations
    assert float(lines[1].split(",")[2]) == moved.null.relative[0]
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert float(last["class_row_degrees"]) == moved.class_row.degrees[-1]
    assert float(last["random_absolute_change"]) == moved.random.absolute[-1]


def test_what_a_loss_changes_is_told_and_drawn_for_each_network():
    from pages._view.validate.losses import curves, sentence

    every = read_trainings(Settings())
    table = read_comparisons(Settings())[1]["photos"]
    assert {(one.architecture, one.loss) for one in every} == {*product(ARCHITECTURES, LOSSES)}
    for architecture in ARCHITECTURES:
        found = [one for one in every if one.architecture == architecture]
        rows = [row for row in table.rows if row.architecture == architecture]
        cosine = next(row for row in rows if row.loss == "cosine")
        assert f"alone, to {cosine.cosine.estimate:.3f} [" in sentence(architecture, table)
        assert all(one.kept.cosine == max(epoch.cosine for epoch in one.epochs) for one in found)
        drawn = curves(found).data
        assert [len(line.y) for line in drawn[::2]] == [len(one.epochs) for one in found]
        assert [line.showlegend for line in drawn] == [True, False] * 3


@pytest.mark.slow
def test_what_a_loss_changes_is_answered_once_it_is_unfolded():
    app = validate()
    app.at.session_state["validate.losses"] = True
    app.run()
    assert any("Trained on the squared error alone" in e.value for e in app.at.markdown)


@pytest.mark.slow
def test_without_the_comparison_the_rest_is_shown(assets):
    comparison_path(Settings()).unlink()
    app = validate()
    assert any("comparison.json" in text for text in app.warnings)
    assert app.facts["Nullity"][0] == "280"


def test_figures_mark_the_cut_and_draw_zero_changes():
    from pages._view.validate import figures
    from sing_core.studies.moved import Moved
    from sing_core.studies.validation import Perturbations, Spectrum

    figure = figures.spectrum(Spectrum((3.0, 1.0, 0.0), 5, 2, 3, 1e-9))
    assert min(figure.data[0].y) > 0
    drawn = json.dumps(figure.to_dict(), default=str)
    (label,) = [note for note in figure.layout.annotations if note.text == "null space: 3"]
    assert (label.x, label.xanchor) == (5, "right"), "on a phone it would run out of the figure"
    assert "counts as zero" in drawn
    whole = figures.spectrum(Spectrum((3.0, 1.0), 2, 2, 0, 1e-9))
    assert "null space" not in json.dumps(whole.to_dict(), default=str)
    sizes = ((0.0, 9.0), (0.1, 5.0), (0.2, 7.0))
    steps = [Moved((size,), (10 * size,), (turn,)) for size, turn in sizes]
    found = Perturbations(("a",), (1.0,), *steps)
    moved = figures.changes(found)
    assert [box.name for box in moved.data] == ["null", "random", "class row"]
    assert moved.data[0].y[0] > 0, "a logarithmic axis has no zero"
    assert figures.changes(found, "absolute").data[1].y[0] == 1.0
    many = Moved(tuple(i / 1000 for i in range(1001)))
    (box, *_) = figures.changes(Perturbations(("a",) * 1001, (), many, many, many)).data
    assert (box.x[0], box.q1[0], box.median[0], box.q3[0]) == ("null", 0.25, 0.5, 0.75)
    assert box.y is None, "of thousands of images the box alone is drawn"
    turned = figures.changes(found, "degrees")
    assert [box.y[0] for box in turned.data] == [9.0, 5.0, 7.0]
    assert turned.layout.yaxis.type is None


def test_the_accuracies_of_two_heads_are_drawn_against_each_other():
    from pages._view.validate import figures
    from sing_core.maths.head_transfer import Transfer

    rows = [Transfer("a", 0.5, 0.4, 30, 10, 2), Transfer("b", 0.9, 0.8, 30, 10, 2)]
    line, points = figures.transfers(["<b>A</b>", "B"], rows).data
    assert (list(points.x), list(points.y)) == ([0.5, 0.9], [0.4, 0.8])
    assert points.text[0] == "&lt;b&gt;A&lt;/b&gt;"
    assert list(line.x) == list(line.y)
    assert line.x[0] < 0.4 < 0.9 < line.x[1]
    rows.append(Transfer("c", 0.5, 0.6, 30, 10, 2))
    drawn = figures.transfers(["A", "B", "C"], rows)
    assert list(drawn.data[1].textposition) == ["bottom right", "bottom right", "top left"]
    assert drawn.layout.yaxis.scaleanchor == "x", "who loses as much lies as far from the diagonal"


def test_no_two_architectures_share_a_colour_or_a_dash():
    from pages._view.validate import figures

    for table in read_comparisons(Settings())[1].values():
        lines = figures.histograms(table).data
        assert {line.name for line in lines} == {row.architecture for row in table.rows}
        assert len({line.line.color for line in lines}) == len(lines)
        assert len({line.line.dash for line in lines}) == len(lines)


@pytest.mark.slow
def test_heads_are_trained_on_a_prepared_set_and_correlated_over_its_models():
    app = validate()
    (button,) = (b for b in app.at.button if b.label == "Train the heads")
    button.click()
    app.run()
    table = app.at.dataframe[-1].value.set_index("classifier")
    assert len(table) == 4
    assert set(table["classes"]) == {200}
    words = " ".join(element.value for element in app.at.markdown)
    assert "over 4 classifiers" in words
    command_line = next(text for text in app.captions if "validate-heads" in text).split("`")[1]
    done = command(*command_line.split()[3:], "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    shown = [f"{row['accuracy_before']:.1%}".replace("%", " %") for row in rows]
    assert list(table["accuracy before"]) == shown
    assert f"{rows[0]['pearson']:+.3f}" in words


def test_the_answer_names_what_is_not_there_and_what_is_not_null():
    from pages._view.validate.answer import answer
    from sing_core.studies.moved import Moved
    from sing_core.studies.validation import Perturbations, Spectrum, Validation

    spectrum = Spectrum((1.0,), 2, 1, 1, 1e-9)
    null, seen = Moved((0.1, 0.3), (), (8.0, 12.0)), Moved((0.5, 0.5), (), (20.0, 20.0))
    moved = Perturbations(("a", "b"), (1.0, 1.0), null, seen, seen)
    text = answer(Validation("m", "mini", spectrum, moved, (0.5, 0.9)), "Toy")
    assert text.startswith("**The null space is null: no.** A step inside it changes the logits of")
    assert "Toy by 0.2 of their length (median of 2 images)" in text
    assert "the mean cosine is 0.70, the least 0.50" in text
    assert "that the head reads by 0.5; the meaning turns by 10° and 20°" in text
    none = Perturbations((), (), Moved(), Moved(), Moved(), "Toy has no null space.")
    text = answer(Validation("m", "mini", spectrum, none, (), "Nothing translates."), "Toy")
    assert text.startswith("**The null space: there is none.** Toy reads every direction")
    assert "**The meaning cannot be measured**" in text
