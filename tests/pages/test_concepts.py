"""The Concepts page on the embedded set: its answer, its list, its table and its network."""

import json

import pytest

from pages._view.tables import cells
from tests.pages.tables import SET, frame, printed

pytestmark = pytest.mark.slow  # whole pages


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
    control = app.at.markdown[0].value.split("**")[2]
    share = rows["vocabulary_decided"].iloc[0]
    assert f"words of the fixed vocabulary {share:.0%}".replace("%", " %") in control
    assert "All images of this class are of one kind: 64-pixel image. Of the whole set: " in (
        " ".join(app.captions).replace("\\", "")
    )
    assert set(rows["untouched"]) | set(rows["spurious"]) <= {"yes", "–"}, "no boxes to tick"


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


def test_the_network_joins_what_means_nearly_the_same(page):
    app = page("concepts", view="network")
    (chart,) = app.at.get("plotly_chart")
    lines, nodes = json.loads(chart.proto.spec)["data"]
    assert "goldfish" in nodes["text"]
    assert len(nodes["text"]) == 24
    assert lines["mode"] == "lines"
    assert app.query["view"] == "network"
