"""Tables and figures at a laptop's width: no column is cut, and no button lies on a legend."""

from typing import Any

import pytest

from tests.browser.measure import PATIENCE_MS, QUIET

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Of every table that is shown: by how many pixels its columns are wider than their place.
HIDDEN = """() => [...document.querySelectorAll('[data-testid=stDataFrame] .dvn-scroller')]
  .filter((node) => node.clientWidth)
  .map((node) => node.scrollWidth - node.clientWidth)"""
COVERED = """() => {
  const box = (node) => node.getBoundingClientRect();
  const meet = (a, b) => a.left < b.right && b.left < a.right
    && a.top < b.bottom && b.top < a.bottom;
  return [...document.querySelectorAll('.js-plotly-plot')].map((plot) => {
    const entries = [...plot.querySelectorAll('.legend .traces')];
    const buttons = box(plot.querySelector('.modebar'));
    return [entries.length, entries.filter((one) => meet(box(one), buttons)).length];
  });
}"""


@pytest.fixture
def laptop(page: Any, app_url: str) -> Any:
    """Open a page by its path."""

    def open_page(path: str) -> Any:
        page.goto(f"{app_url}/{path}")
        page.wait_for_function(QUIET, timeout=PATIENCE_MS)
        return page

    return open_page


@pytest.mark.parametrize(
    ("path", "tables"), [("compare", 1), ("library", 2), ("classes", 2), ("concepts", 2)]
)
def test_no_column_is_cut(laptop: Any, path: str, tables: int) -> None:
    page = laptop(path)
    page.wait_for_function(f"() => ({HIDDEN})().length >= {tables}", timeout=PATIENCE_MS)
    page.wait_for_timeout(500)  # a table measures its columns once its data is drawn
    assert max(page.evaluate(HIDDEN)) <= 0


@pytest.mark.parametrize("width", [1440, 390])
def test_no_button_of_a_figure_lies_on_its_legend(laptop: Any, width: int) -> None:
    page = laptop("compare")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(1_000)
    found = page.evaluate(COVERED)
    assert sorted(entries for entries, _ in found) == [3, 4, 4]
    assert [covered for _, covered in found] == [0, 0, 0]
