"""The first visitor of a fresh server may open any page's own address."""

from typing import Any

import pytest

from tests.browser.conftest import Serve

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_first_page_of_a_fresh_server_has_the_menu(page: Any, serve: Serve) -> None:
    url = serve("app.py", SING_RENDERER="off", FIRST_PAGE="method")  # a server of this test's own
    page.goto(f"{url}/method?model=lite1")
    page.get_by_role("heading", name="The method in four steps").wait_for(timeout=60_000)
    page.get_by_role("link", name="Explore").first.wait_for(timeout=60_000)
    assert page.get_by_role("heading", level=1).bounding_box()["x"] < 200, "the page is narrow"
