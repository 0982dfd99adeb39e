"""On Compare: whether the order holds in another reference, asked once unfolded; the ratio bars."""

import json

import pytest

from pages._view import loaders
from pages._view.tables import asks, figures, opened
from tests.command import command
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages

FOLDED = "compare.orders"


def test_the_order_in_every_reference_is_what_the_command_prints(monkeypatch):
    asked, ask = [], asks.order_rows
    monkeypatch.setattr(asks, "order_rows", lambda *given: asked.append(given) or ask(*given))
    app = App.at_page("compare")
    assert (app.errors, asked) == ([], [])
    app.at.session_state[FOLDED] = True
    app.run()
    assert (app.errors, len(asked)) == ([], 1)
    references = loaders.references()
    (table,) = (e.value for e in app.at.dataframe if references["mini-vit"] in e.value.columns)
    said = [element.value.replace("\\", "") for element in app.at.markdown]
    own = f"EfficientNet-Lite2 is not judged in {references['mini']}, which"
    assert any(own in text for text in said)
    line = next(e.value for e in app.at.caption if "--across-references" in e.value)
    printed = command(*line.split("`")[1].split()[3:], "--json")
    assert printed.returncode == 0, printed.stderr
    rows = [json.loads(row) for row in printed.stdout.splitlines()]
    titles = loaders.titles()
    for row in rows:
        own = table.set_index("classifier").loc[titles[row["model"]]]
        cell = own[references[row["reference"]]]
        place = "its own tower" if row["shares_tower"] else f"place {row['place']}:"
        assert cell.startswith(place)
        assert f"{row['mean']:.3f}°" in cell
    assert any(row["shares_tower"] for row in rows)


def test_the_ratio_is_drawn_beside_that_of_random_subspaces():
    rows = asks.model_rows(["lite0", "lite1"], "embedded", opened.ALL)
    null, equal, energy = figures.ratios(rows, loaders.titles()).data
    assert list(null.y) == [row.ratio.estimate for row in rows]
    assert list(null.error_y.array) == [row.ratio.high - row.ratio.estimate for row in rows]
    assert list(equal.y) == [row.dim_ratio.estimate for row in rows]
    assert list(energy.x) == ["EfficientNet-Lite0", "EfficientNet-Lite1"]
