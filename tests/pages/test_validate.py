"""The Validate page: what it computes, its link, its downloads, and what without its files."""

import json

import pytest
from PIL import Image

from sing_core.settings import Settings
from sing_core.studies.translator_table import comparison_path, read_comparisons
from tests.command import command
from tests.pages.conftest import forget_everything
from tests.pages.driver import App


def validate(**query):
    app = App(**query).open("validate")
    for name, value in query.items():
        app.at.query_params[name] = value
    return app.run()


def medians(app):
    return {name: float(value) for name, (value, _) in app.facts.items() if "Median" in name}


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
    assert "On these 6 images" in words
    command, tables = read_comparisons(Settings())
    for table in tables.values():
        assert table.verdict in words
    assert any(command in text for text in app.captions)
    costs = app.at.dataframe[0].value
    assert list(costs["null space"]) == sorted(costs["null space"])
    assert costs["drift per step of length 1"].is_monotonic_increasing
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
    assert any("3.png" in text for text in app.errors)
    monkeypatch.delenv("SING_IMAGES_DIR")
    forget_everything()


@pytest.mark.slow
def test_the_downloads_carry_what_is_shown():
    validate()
    from pages._view.validate import panels

    found = panels.validation("lite0", "mini", "samples", 0)
    lines = panels.changes_csv(found).splitlines()
    assert lines[0].split(",")[:3] == ["image", "norm", "null_relative_change"]
    assert len(lines) == 7
    assert float(lines[1].split(",")[2]) == found.perturbations.null[0]


@pytest.mark.slow
def test_without_the_comparison_the_rest_is_shown(assets):
    comparison_path(Settings()).unlink()
    app = validate()
    assert any("comparison.json" in text for text in app.warnings)
    assert app.facts["Nullity"][0] == "280"


def test_figures_mark_the_cut_and_draw_zero_changes():
    from pages._view.validate import figures
    from sing_core.studies.validation import Perturbations, Spectrum

    figure = figures.spectrum(Spectrum((3.0, 1.0, 0.0), 5, 2, 3, 1e-9))
    assert min(figure.data[0].y) > 0
    drawn = json.dumps(figure.to_dict(), default=str)
    (label,) = [note for note in figure.layout.annotations if note.text == "null space: 3"]
    assert (label.x, label.xanchor) == (5, "right"), "on a phone it would run out of the figure"
    assert "counts as zero" in drawn
    whole = figures.spectrum(Spectrum((3.0, 1.0), 2, 2, 0, 1e-9))
    assert "null space" not in json.dumps(whole.to_dict(), default=str)
    moved = figures.changes(Perturbations(("a",), (1.0,), (0.0,), (0.1,), (0.2,)))
    assert [box.name for box in moved.data] == ["null", "random", "class row"]
    assert moved.data[0].y[0] > 0


@pytest.mark.slow
def test_heads_are_trained_on_a_prepared_set_and_correlated_over_its_models():
    app = validate()
    (button,) = (b for b in app.at.button if b.label == "Train the heads")
    button.click()
    app.run()
    table = app.at.dataframe[-1].value.set_index("classifier")
    assert len(table) == 3
    assert set(table["classes"]) == {200}
    words = " ".join(element.value for element in app.at.markdown)
    assert "over 3 classifiers" in words
    command_line = next(text for text in app.captions if "validate-heads" in text).split("`")[1]
    done = command(*command_line.split()[3:], "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    shown = [f"{row['accuracy_before']:.1%}" for row in rows]
    assert list(table["accuracy before"]) == shown
    assert f"{rows[0]['pearson']:+.3f}" in words
