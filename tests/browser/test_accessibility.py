"""Who cannot see, point or bear motion: axe-core on every page, headings, keys, reduced motion."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.axe import in_words, stretch, unfold, violations
from tests.browser.measure import PATIENCE_MS, QUIET, SLIDER, Explore
from tests.browser.stage import RECORD, REPORT, Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "", "compare", "classes", "concepts", "units", "evidence", "validate", "talk", "library",
    "method",
)  # fmt: skip
SKIPS = ("Skip to main content", "Go to the slider")
WIDTHS, SCHEMES = (1440, 390), ("light", "dark")
STOPS, MOST_STOPS = 5, 60
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}
HEADINGS = """() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
  .map((node) => [Number(node.tagName[1]), node.textContent])"""
# The element that has the focus, in whatever shadow tree it lies.
FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node?.getAttribute('aria-label') || node?.labels?.[0]?.textContent || node?.innerText;
}"""
# How the focus shows: a ring on the element or on the box that it fills; null past the last one.
RING = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  if (node === document.body) return null;
  const { width, height } = node.getBoundingClientRect();
  const ring = [node, node.closest('[role=group]')].filter(Boolean).some((one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
  });
  return ring && width && height ? 'ring' : node.outerHTML.slice(0, 200);
}"""
# What moves by itself or would glide, of everything that is shown, shadow trees included.
MOVING = """() => {
  const slow = (times) => times.split(',').some((time) => parseFloat(time) > 0.01);
  const found = [];
  const look = (root) => {
    for (const node of root.querySelectorAll('*')) {
      const style = getComputedStyle(node);
      const glides = slow(style.transitionDuration);
      const moves = style.animationName !== 'none' && slow(style.animationDuration);
      if (glides || moves) found.push(node.outerHTML.slice(0, 120));
      if (node.shadowRoot) look(node.shadowRoot);
    }
  };
  look(document);
  return found;
}"""
# Of the labels of figures, which axe-core does not judge: the worst contrast with the page.
FAINTEST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const ground = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
  const shine = (colour, opacity) => {
    for (const [fill, alpha] of [[ground, 1], [colour, opacity]]) {
      canvas.globalAlpha = alpha;
      canvas.fillStyle = fill;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const ratios = [...document.querySelectorAll('.js-plotly-plot text')].map((node) => {
    const { fill, fillOpacity } = getComputedStyle(node);
    const [one, other] = [shine(fill, Number(fillOpacity)), shine(ground, 1)];
    return Math.max(one, other) / Math.min(one, other);
  });
  return ratios.length ? Math.min(...ratios) : null;
}"""
PLANTED = """() => {
  const box = document.createElement('div');
  box.id = 'planted';
  box.innerHTML = '<img src="data:,"><p style="color: #999; background: #fff">faint</p><input>';
  document.querySelector('.stMain').append(box);
}"""


@pytest.fixture(scope="module", params=PAGES)
def opened(request: pytest.FixtureRequest, chromium: Any, app_url: str) -> Iterator[Any]:
    """A page, opened once for all tests of it, with everything in it unfolded."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{app_url}/{request.param}")
    page.wait_for_function(QUIET, timeout=PATIENCE_MS)
    unfold(page)
    page.wait_for_function(QUIET, timeout=PATIENCE_MS)
    yield page
    context.close()


def dressed(page: Any, scheme: str, width: int) -> Any:
    """Show the page in this theme and width, as high as it is."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "(ground) => getComputedStyle(document.querySelector('.stApp')).backgroundColor === ground",
        arg=GROUNDS[scheme],
        timeout=PATIENCE_MS,
    )
    stretch(page, width)
    return page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_or_critical(opened: Any, scheme: str, width: int) -> None:
    page = dressed(opened, scheme, width)
    found = violations(page)
    assert found == [], in_words(found)
    assert (page.evaluate(FAINTEST) or 21.0) >= 4.5, "labels of figures"


def test_headings_step_down_one_by_one_from_one_title(opened: Any) -> None:
    found = opened.evaluate(HEADINGS)
    levels = [level for level, _ in found]
    assert levels[0] == 1, found
    assert levels.count(1) == 1, found
    assert all(b <= a + 1 for a, b in pairwise(levels)), found


@pytest.mark.parametrize("opened", [""], indirect=True)
@pytest.mark.parametrize("menu", ["explore-photo_picker", "explore-more"])
def test_what_opens_over_explore_is_accessible_too(opened: Any, menu: str) -> None:
    page = dressed(opened, "dark", 1440)
    page.locator(f".st-key-{menu} button").first.click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_function(QUIET, timeout=PATIENCE_MS)
    found = violations(page)
    dressed(page, "light", 1440)
    found += violations(page)
    page.keyboard.press("Escape")
    assert found == [], in_words(found)


@pytest.mark.parametrize(("view", "part"), [("1", "headline"), ("notes", "now-caption")])
def test_axe_finds_nothing_serious_or_critical_on_the_stage(
    page: Any, app_url: str, view: str, part: str
) -> None:
    stage, found = Stage(page), []
    page.goto(f"{app_url}/?stage={view}")
    stage.part(part).filter(has_text=" ").wait_for(timeout=PATIENCE_MS)
    for scheme in SCHEMES:
        for width, height in ((1440, 900), (390, 844)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(200)
            found += violations(page)
    for key in ("?", "t") if view == "1" else ():
        stage.press(key)
        found += violations(page)
        stage.press("Escape")
    assert found == [], in_words(found)


def test_what_is_wrong_is_found(page: Any, app_url: str) -> None:
    page.goto(f"{app_url}/method")
    page.wait_for_function(QUIET, timeout=PATIENCE_MS)
    page.evaluate(PLANTED)
    stretch(page, 1440)
    found = {one["rule"] for one in violations(page)}
    assert found == {"image-alt", "color-contrast", "label"}


def test_the_slider_is_within_five_tab_stops_of_the_documents_start(
    page: Any, app_url: str
) -> None:
    tab = Explore(page).go(app_url)
    stops: list[str] = []
    while stops[-1:] != [SLIDER] and len(stops) < STOPS:
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
        if stops[-1] in SKIPS:
            page.keyboard.press("Enter")
            page.wait_for_timeout(100)
        if stops[-1] == SKIPS[-1]:
            stops.append(page.evaluate(FOCUSED))
    assert stops[-1] == SLIDER, stops
    before = tab.index
    page.keyboard.press("ArrowRight")
    assert tab.index == before + 1, "the slider obeys at once"
    assert "#" not in page.url
    assert tab.problems == []


def test_every_tab_stop_of_explore_can_be_seen(page: Any, app_url: str) -> None:
    Explore(page).go(app_url)
    seen = []
    while len(seen) < MOST_STOPS:
        page.keyboard.press("Tab")
        if (found := page.evaluate(RING)) is None:
            break
        seen.append(found)
    assert 25 < len(seen) < MOST_STOPS, "the way through the page has an end"
    assert [one for one in seen if one != "ring"] == []


@pytest.mark.parametrize("path", ["", "talk", "?stage=1"])
def test_nothing_moves_by_itself_for_who_asked_for_reduced_motion(
    chromium: Any, app_url: str, path: str
) -> None:
    size = {"width": 1440, "height": 900}
    context = chromium.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{app_url}/{path}")
    if "stage" in path:
        Stage(page).part("headline").filter(has_text=" ").wait_for(timeout=PATIENCE_MS)
    else:
        page.wait_for_function(QUIET, timeout=PATIENCE_MS)
        # The browser fetches what puts our style sheet in by itself, on a busy machine last.
        page.wait_for_selector("[data-testid=stHtml] style", state="attached")
    moving = page.evaluate(MOVING)
    context.close()
    assert moving == []


def test_the_stage_does_not_glide_for_who_asked_for_reduced_motion(
    chromium: Any, app_url: str
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    stage = Stage(context.new_page()).go(f"{app_url}/?stage=1")
    stage.page.evaluate(RECORD)
    stage.press("0", "4", "0", "4", pause_ms=300)
    values = stage.page.evaluate(REPORT)["values"]
    context.close()
    assert values <= 3, "where it stood, 0° and 40°: nothing between"
