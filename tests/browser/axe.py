"""Asks axe-core what a page keeps from those who cannot see or point; opens what is folded away."""

import json
from collections.abc import Collection
from importlib.resources import files
from typing import Any

SOURCE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
# Without these options it leaves open what a decorated tab and a label of one letter look like.
_RUN = """async () => {
  const options = { ignorePseudo: true, ignoreLength: true };
  const checks = { 'color-contrast': { options } };
  const found = await axe.run(document, { checks, resultTypes: ['violations'] });
  return found.violations.flatMap(({ id, impact, nodes }) => nodes.map((node) => ({
    rule: id,
    impact,
    where: node.target.flat().join(' '),
    markup: node.html.slice(0, 200),
    why: [...node.any, ...node.all, ...node.none].map(({ message }) => message).join('; '),
  })));
}"""
# Streamlit's drawers and those of its components, which lie in shadow trees.
_UNFOLD = """() => {
  let opened = 0;
  const open = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.matches('details:not([open]) > summary')) opened += 1, node.click();
      if (node.shadowRoot) open(node.shadowRoot);
    }
  };
  open(document);
  return opened;
}"""


def violations(page: Any, impacts: Collection[str] = GRAVE) -> list[dict[str, str]]:
    """Return what axe-core finds of these impacts, a row for every element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE)
    found: list[dict[str, str]] = page.evaluate(_RUN)
    return [one for one in found if one["impact"] in impacts]


def in_words(found: list[dict[str, str]]) -> str:
    """Return the findings as a person reads them in a failed test."""
    return json.dumps(found, indent=1, ensure_ascii=False)


def unfold(page: Any) -> None:
    """Open every drawer of the page, so that what lies in them is looked at, too."""
    while page.evaluate(_UNFOLD):
        page.wait_for_timeout(500)


def stretch(page: Any, width: int) -> None:
    """Make the window as high as the page: axe-core judges no colours of what is scrolled away."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(200)
    height = page.evaluate("document.querySelector('.stMain').scrollHeight")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(200)
