"""On Classes: whether what is said of the chosen class survives, once somebody asks."""

import pytest

from pages._view.evidence import asks
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages

FOLDED = "classes.choices"


def test_nothing_is_measured_before_somebody_unfolds_it_and_then_every_choice_is(monkeypatch):
    asked, ask = [], asks.class_claim
    monkeypatch.setattr(asks, "class_claim", lambda *given: asked.append(given) or ask(*given))
    app = App.at_page("classes", unfolded=[FOLDED], **{"class": "goldfish"})
    assert (app.errors, asked) == ([], [])
    app.at.session_state[FOLDED] = True
    app.run()
    assert (app.errors, len(asked)) == ([], 1)
    claim = ask(*asked[0])
    said = [element.value for element in app.at.markdown]
    assert any(f"{claim.survives} of {len(claim.choices)} choices" in s for s in said)
    tables = [element.value for element in app.at.dataframe]
    (table,) = (table for table in tables if "survives" in table.columns)
    assert len(table) == len(claim.choices)
    shown = next(table for table in tables if "contrast_mean" in table.columns)
    row = shown.set_index("class").loc["goldfish"]
    assert claim.choices[0].estimate == pytest.approx(row["contrast_mean"], abs=2e-4)
    assert "python -m sing_core multiverse --model lite0 --set embedded --class goldfish" in [
        element.value for element in app.at.code
    ]


def test_of_a_class_that_has_no_verdict_nothing_is_offered():
    app = App.at_page("classes", least="1", **{"class": "tench"})
    assert app.errors == []
    assert FOLDED not in app.at.session_state
