"""Explore at a glance: what belongs to the first screen is in it, and nothing there moves."""

import logging
from typing import Any

import pytest

from tests.browser.conftest import OpenTab
from tests.browser.measure import SHADOW, Explore

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOGGER = logging.getLogger(__name__)
LAPTOP_PX, PHONE_PX, SHIFT_PX = 880, 1.5 * 844, 4
# What is cut: text that its own box is too small for, and boxes that reach out of the window.
CUT = f"""() => {{
  const page = '.explore-head > *, .st-key-explore_head, .st-key-explore_choices label p,'
    + '.st-key-explore_choices button p';
  const own = '.mode, [data-part=sentence], .name, .small, .ticks button, label, .says';
  return [...document.querySelectorAll(page), ...{SHADOW}.querySelectorAll(own)]
    .filter((node) => node.checkVisibility() && !node.closest('[popover]')
      && !node.matches('.to-slider'))
    .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth
      || node.scrollHeight > node.clientHeight + 1 && node.clientHeight
      || node.getBoundingClientRect().right > innerWidth)
    .map((node) => node.outerHTML.slice(0, 160));
}}"""
# What moved after the page's title was painted, by how much and when: before it there is only the
# outline that Streamlit shows of any page.
SHIFTS = """() => {
  window.shifts = [];
  const look = setInterval(() => {
    if (!document.querySelector('h1')?.getBoundingClientRect().height) return;
    clearInterval(look);
    // The frame that paints it may take long on a busy machine: the next one begins after it.
    requestAnimationFrame(() => requestAnimationFrame((time) => { window.titled = time; }));
  }, 10);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) for (const source of entry.sources ?? []) {
      const [a, b] = [source.previousRect, source.currentRect];
      const moved = Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y));
      const node = source.node?.outerHTML ?? source.node?.textContent;
      const late = window.titled && entry.startTime > window.titled;
      const seen = [moved, Math.round(entry.startTime), `${node}`.slice(0, 160)];
      if (late && a.width && b.width) shifts.push(seen);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}"""
BOTTOMS = f"""() => {{
  const root = {SHADOW}, bottom = (node) => node.getBoundingClientRect().bottom + scrollY;
  return {{
    squares: [...root.querySelectorAll('.square')].map(bottom),
    slider: bottom(root.querySelector('[data-part=range]')),
    ticks: bottom(root.querySelector('[data-part=ticks]')),
    scores: ['is', 'as'].map((name) => bottom(root.querySelector(`[data-part=box-${{name}}]`))),
    sentence: bottom(root.querySelector('[data-part=sentence]')),
  }};
}}"""


def cold(open_tab: OpenTab, url: str, width: int) -> Explore:
    """Open the page as nobody did before in this browser, its shifts watched from the start."""
    tab: Explore = open_tab(Explore, width, "light")
    tab.page.set_viewport_size({"width": width, "height": 900 if width > 390 else 844})
    tab.page.add_init_script(f"({SHIFTS})()")
    return tab.go(url)


def lowest(found: dict[str, Any]) -> float:
    return max(max(value) if isinstance(value, list) else value for value in found.values())


def test_pictures_slider_scores_and_sentence_are_in_the_first_screen_of_a_laptop(
    open_tab: OpenTab, app_url: str
) -> None:
    found = cold(open_tab, app_url, 1440).page.evaluate(BOTTOMS)
    LOGGER.info("lower edges at 1440 x 900: %s", found)
    assert len(found["squares"]) == 3
    assert lowest(found) < LAPTOP_PX


def test_pictures_slider_and_scores_are_in_the_first_screen_and_a_half_of_a_phone(
    open_tab: OpenTab, app_url: str
) -> None:
    found = cold(open_tab, app_url, 390).page.evaluate(BOTTOMS)
    LOGGER.info("lower edges at 390 x 844: %s", found)
    assert lowest(found) < PHONE_PX


@pytest.mark.parametrize("width", [1440, 390])
def test_who_comes_first_reads_what_is_shown_and_what_to_do_and_nothing_is_cut(
    open_tab: OpenTab, app_url: str, width: int
) -> None:
    tab = cold(open_tab, app_url, width)
    said = tab.part("sentence").inner_text()
    answer = tab.part("says-photo").inner_text()
    label, share = answer.rsplit(" ", 2)[0], answer.split(" ")[-2]
    assert f"“{label}” ({share} %)" in said
    turned = float(tab.part("is").inner_text().rstrip("°"))
    assert f"(by {turned:.0f}°)" in said
    assert "“an image of a red fox”" in said
    assert "Pull the slider" in said
    found = tab.page.evaluate(BOTTOMS)
    assert found["sentence"] < min(found["squares"]), "before the pictures, not after them"
    assert found["sentence"] < 844 / 1.5
    ticks = tab.part("ticks").get_by_role("button").all_inner_texts()
    assert ticks[:-1] == ["0°", "10°", "20°", "40°"]
    assert ticks[-1].startswith("longest step, ")
    assert tab.page.evaluate(CUT) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_moves_after_it_was_first_painted(
    open_tab: OpenTab, drawing_url: str, width: int
) -> None:
    tab = cold(open_tab, drawing_url, width)
    tab.page.wait_for_timeout(3_000)  # pictures begin meanwhile
    shifts = sorted(tab.page.evaluate("window.shifts"), reverse=True)
    LOGGER.info("largest shifts at %d px: %s", width, shifts[:5])
    assert [shift for shift in shifts if shift[0] > SHIFT_PX] == []
