"""Files to take away: no run of a page makes one, and each holds what the page shows."""

import csv
import io
import json

import pytest

from pages._view import exports
from pages._view.explore import downloads
from pages._view.validate import panels
from tests.pages.driver import App

pytestmark = pytest.mark.slow

MAKERS = {
    downloads: ("sweep_csv", "report_json"),
    panels: ("changes_csv", "validation_json"),
    exports: ("csv_of", "parquet_of", "html_of"),
}


@pytest.fixture
def made(monkeypatch):
    """Names of the makers in the order in which they were called."""
    called = []

    def noting(name, real):
        def make(*arguments):
            called.append(name)
            return real(*arguments)

        return make

    for module, names in MAKERS.items():
        for name in names:
            monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    return called


def test_a_run_of_explore_makes_no_file_and_a_click_makes_that_of_the_shown_step(offered, made):
    app = App(**{"is": "25"})
    app.run()
    assert made == []
    files = {name.rpartition(".")[2]: make for name, make in offered.items()}
    assert all(name.startswith("sing-lite0-") for name in offered)
    _, *rows = csv.reader(io.StringIO(files["csv"]()))
    assert [float(row[1]) for row in rows] == app.sweep["image_score_deg"]
    found = json.loads(files["json"]())["report"]
    assert found["index"] == app.sweep["index"]
    assert found["sweep"]["epsilon"] == app.sweep["epsilon"]
    assert made == ["sweep_csv", "report_json"]


def test_a_run_of_validate_makes_no_file(offered, made):
    app = App().open("validate")
    app.run()
    assert made == []
    found = json.loads(offered["sing-validate-lite0.json"]())
    assert (found["images"], found["seed"]) == ("samples", 0)
    assert f"{found['validation']['spectrum']['nullity']}" == app.facts["Nullity"][0]
    lines = offered["sing-validate-lite0.csv"]().splitlines()
    assert len(lines) == 1 + len(found["validation"]["perturbations"]["names"])
    assert made == ["validation_json", "changes_csv"]


@pytest.mark.parametrize("page", ["classes", "compare", "concepts"])
def test_a_run_of_a_table_makes_no_file(offered, made, page):
    App().open(page).run()
    assert made == []
    assert offered[f"sing-{page}.csv"]().count(b"\n") > 1
    assert offered[f"sing-{page}.parquet"]()[:4] == b"PAR1"
    assert b"plotly" in offered[f"sing-{page}.html"]()
