"""Browsing with pictures, with a hand: choose in the grid, open in Explore, go back; stop a job."""

import io
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pages._view.library import actions
from sing_core.files.samples import sample_bytes
from tests.browser.conftest import Serve
from tests.prepared_sets import jpeg

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MS = 120_000
CLIPPED = """() => [...document.querySelectorAll('[data-testid=stDataFrame] .dvn-scroller')]
  .filter((table) => table.scrollWidth > table.clientWidth + 1).length"""


@pytest.fixture(scope="module")
def url(serve: Serve, session_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The app, with a set of 26 goldfish and one cat whose photographs are on this machine."""
    root = tmp_path_factory.mktemp("pictures")
    for wnid, count in (("n01443537", 26), ("n02123045", 1)):
        (root / wnid).mkdir()
        for number in range(count):
            (root / wnid / f"{number:03d}.jpg").write_bytes(jpeg(number, side=128))
    (root / "n02123045" / "000.jpg").write_bytes(sample_bytes("chelsea"))
    actions.prepare_set(root, ("lite0",), "browsed", lambda progress: None)
    return serve("app.py", SING_RENDERER="off", SING_CACHE_DIR=str(session_cache))


def asked(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_click_in_the_grid_and_one_on_the_link_lead_into_explore_and_back(page, url):
    page.goto(f"{url}/classes?set=browsed&class=goldfish")
    tiles = page.locator(".tile")
    tiles.nth(23).wait_for(timeout=MS)
    assert tiles.count() == 24
    assert page.evaluate(CLIPPED) == 0
    names = page.locator(".tile img").evaluate_all("(all) => all.map((one) => one.alt)")
    assert len(set(names)) == 24
    tiles.nth(5).click()
    page.get_by_role("link", name="Open n01443537/005.jpg in Explore").wait_for(timeout=MS)
    page.keyboard.press("ArrowRight")  # as among radio buttons
    opens = page.get_by_role("link", name="Open n01443537/006.jpg in Explore")
    opens.wait_for(timeout=MS)
    assert page.locator(".tile:has(:checked)").count() == 1
    opens.click()
    page.locator("[data-part=is]").wait_for(timeout=MS)
    assert asked(page)["photo"].startswith("browsed/6/")
    assert page.locator("[data-part=photo]").is_visible()
    page.go_back()
    tiles.nth(23).wait_for(timeout=MS)
    assert asked(page) == {"set": "browsed"}  # the goldfish are the first of it
    page.get_by_role("button", name="Next").click()
    page.get_by_role("link", name="Open n01443537/024.jpg in Explore").wait_for(timeout=MS)


def test_a_stored_feature_opens_without_its_photo(page, url):
    page.goto(f"{url}/classes?class=goldfish")
    hint = page.get_by_text("Tick an image to open its stored feature in Explore")
    hint.wait_for(timeout=MS)
    table = page.get_by_test_id("stDataFrame").nth(1)
    table.locator("canvas").first.wait_for(timeout=MS)
    assert page.evaluate(CLIPPED) == 0
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 36 + 17)  # the box of the first row
    link = page.get_by_role("link", name="Open the stored feature of")
    link.wait_for(timeout=MS)
    link.click()
    page.locator("[data-part=is]").wait_for(timeout=MS)
    assert page.locator("[data-part=wait-photo]").inner_text() == "Not on this machine"
    assert not page.locator("[data-part=photo]").is_visible()
    first = page.locator("[data-part=is]").inner_text()
    page.locator("[data-part=range]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert page.locator("[data-part=is]").inner_text() != first
    page.reload()  # the link carries all of it
    page.get_by_text("The photo is not on this machine").wait_for(timeout=MS)


def test_no_column_of_concepts_is_clipped(page, url):
    page.goto(f"{url}/concepts?of=goldfish")
    page.get_by_role("heading", name="Images of goldfish, towards goldfish").wait_for(timeout=MS)
    page.locator(".dvn-scroller").nth(1).wait_for(timeout=MS)
    page.wait_for_timeout(1_000)
    assert page.evaluate(CLIPPED) == 0


def test_enter_begins_no_job_and_a_job_can_be_stopped_and_taken_up(page, url):
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        for number in range(120):
            archive.writestr(f"goldfish/{number}.jpg", jpeg(1_000 + number))
    page.goto(f"{url}/library")
    prepare = page.get_by_role("button", name="Prepare", exact=True)
    prepare.wait_for(timeout=MS)
    name = page.get_by_label("Name of the set")
    name.fill("stopped")
    name.press("Enter")
    page.wait_for_timeout(1_500)
    assert page.get_by_text("To prepare a set").count() == 0
    files = page.locator(".st-key-library-files input[type=file]")
    files.set_input_files(
        {"name": "many.zip", "mimeType": "application/zip", "buffer": payload.getvalue()}
    )
    page.get_by_text("many.zip").wait_for(timeout=MS)
    prepare.click()
    page.get_by_text("of 120 images").wait_for(timeout=MS)
    page.locator(".st-key-library-stop button").click()
    page.get_by_text("Preparing was stopped").wait_for(timeout=MS)
    page.locator(".st-key-library-stop").wait_for(state="detached", timeout=MS)
    assert page.get_by_text("Leaving the page stops it").count() == 0
    prepare.click()
    page.get_by_text("stopped is prepared under EfficientNet-Lite0: 120 of 120 images").wait_for(
        timeout=MS
    )
    assert page.get_by_text("Preparing was stopped").count() == 0
    assert page.get_by_text("Leaving the page stops it").count() == 0
    page.get_by_role("link", name="See its images in Classes").click()
    page.locator(".tile").nth(23).wait_for(timeout=MS)
