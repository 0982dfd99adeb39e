"""On Concepts: whether what is said of the chosen concept survives, once somebody asks."""

import pytest

from pages._view.evidence import asks
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages

FOLDED = "concepts.choices"


def test_nothing_is_measured_before_somebody_unfolds_it_and_then_every_concept_is(monkeypatch):
    asked, ask = [], asks.concept_claims
    monkeypatch.setattr(asks, "concept_claims", lambda *given: asked.append(given) or ask(*given))
    listed = {"list": "goldfish\nlemon", "of": "goldfish", "concept": "lemon"}
    app = App.at_page("concepts", unfolded=[FOLDED], **listed)
    assert (app.errors, asked) == ([], [])
    app.at.session_state[FOLDED] = True
    app.run()
    assert (app.errors, len(asked)) == ([], 1)
    _, claim = ask(*asked[0])
    said = [element.value for element in app.at.markdown]
    assert any(f"{claim.survives} of {len(claim.choices)} choices" in s for s in said)
    tables = [element.value for element in app.at.dataframe]
    (table,) = (table for table in tables if "survives" in table.columns)
    assert len(table) == len(claim.choices)
    shown = next(table for table in tables if "directed_mean" in table.columns)
    row = shown.set_index("concept").loc["lemon"]
    assert claim.choices[0].estimate == pytest.approx(row["directed_mean"], abs=2e-4)
    assert (
        "python -m sing_core multiverse --model lite0 --set embedded --class goldfish "
        "--concept goldfish --concept lemon"
    ) in [element.value for element in app.at.code]


def test_of_a_class_of_one_image_nothing_is_offered():
    app = App.at_page("concepts", list="lemon", of="tench")
    assert app.errors == []
    assert FOLDED not in app.at.session_state
