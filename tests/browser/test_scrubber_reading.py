"""Who can read the ε-scrubber: by ear, on a narrow screen, in light and in the dark."""

import logging
import re

import pytest

from tests.browser.conftest import OpenScrubber
from tests.browser.measure import SHADOW

pytestmark = pytest.mark.browser

LOGGER = logging.getLogger(__name__)  # measures: pytest --log-cli-level=INFO


def test_the_slider_speaks_its_values_and_the_readouts_carry_help(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    text = scrubber.slider.get_attribute("aria-valuetext")
    pattern = r"ε 2\.00, image score \d+\.\d degrees, attribute score \+\d+\.\d degrees"
    assert re.fullmatch(pattern, text)
    for name in ("Image score (IS)", "Attribute score (AS)", "Logit drift"):
        readout = scrubber.page.get_by_role("group", name=name)
        described = readout.get_attribute("aria-describedby")
        assert scrubber.page.locator(f"#{described}").text_content()
    assert re.fullmatch(r"[23]e-07", scrubber.part("drift").inner_text())
    assert "of largest logit 12.3: the decision stands" in scrubber.part("decision").inner_text()
    assert scrubber.slider.bounding_box()["height"] >= 24


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_scrolls_sideways(scrubber_page: OpenScrubber, width: int) -> None:
    scrubber = scrubber_page(width=width)
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.page.wait_for_timeout(600)
    overflow = f"""() => {{
      const box = {SHADOW}.querySelector('.scrubber'), main = document.scrollingElement;
      const clipped = (node) => node.closest('svg, .unseen, .carrier');
      const outside = [...box.querySelectorAll('*')].filter((node) =>
        !clipped(node) && node.getBoundingClientRect().right > innerWidth + 0.5);
      return [main.scrollWidth - main.clientWidth, box.scrollWidth - box.clientWidth,
              outside.map((node) => node.className).join()];
    }}"""
    assert scrubber.page.evaluate(overflow) == [0, 0, ""]


CONTRASTS = f"""() => {{
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const brush = canvas.getContext('2d', {{ willReadFrequently: true }});
  const pixel = (colour) => {{
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  }};
  const light = (rgb) => {{
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }};
  const parent = (node) => node.parentElement ?? node.getRootNode().host ?? null;
  const ground = (node) => {{
    for (let up = node; up; up = parent(up)) {{
      const rgba = pixel(getComputedStyle(up).backgroundColor);
      if (rgba[3] === 255) return rgba;
    }}
    return [255, 255, 255, 255];
  }};
  const ratio = (a, b) => {{
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  }};
  const root = {SHADOW};
  const own = (node) => [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const texts = [...root.querySelectorAll('.scrubber *')]
    .filter((node) => own(node) && !node.closest('.unseen'));
  const ink = (node) => getComputedStyle(node)[node.closest('svg') ? 'fill' : 'color'];
  const marks = {{ '.curve.is': 'stroke', '.curve.as': 'stroke', '.dot.is': 'fill',
    '.cursor': 'stroke', '.bar': 'backgroundColor', '.row:not(.pinned) .bar': 'backgroundColor',
    '.tick': 'backgroundColor', 'button': 'borderTopColor', '.zero': 'stroke' }};
  const page = ground(root.host);
  const markInk = ([name, part]) => pixel(getComputedStyle(root.querySelector(name))[part]);
  return {{
    ground: page.slice(0, 3),
    text: texts.map((node) => [ratio(pixel(ink(node)), ground(node)), node.textContent.trim()]),
    mark: Object.entries(marks).map((mark) => [ratio(markInk(mark), page), mark[0]]),
  }};
}}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", ["plain", "unreachable"])
def test_text_and_marks_have_enough_contrast(
    scrubber_page: OpenScrubber, scheme: str, case: str
) -> None:
    scrubber = scrubber_page(case, scheme=scheme)
    for drawer in scrubber.page.locator("summary").all():
        drawer.click()
    scrubber.page.wait_for_timeout(200)  # the curves are drawn once they have a width
    found = scrubber.page.evaluate(CONTRASTS)
    assert (sum(found["ground"]) < 200) == (scheme == "dark")
    assert len(found["text"]) > 40
    lowest_text, lowest_mark = min(found["text"]), min(found["mark"])
    LOGGER.info("%s, %s: lowest text %s, lowest mark %s", scheme, case, lowest_text, lowest_mark)
    assert lowest_text[0] >= 4.5, lowest_text
    assert lowest_mark[0] >= 3.0, lowest_mark
