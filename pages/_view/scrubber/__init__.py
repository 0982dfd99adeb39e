"""The ε-scrubber: one precomputed sweep that moves under the hand, entirely in the browser.

The server sends a whole sweep once; dragging and arrow keys redraw from it client-side and send
nothing. On release the browser sends one state value, and ``scrubber`` returns it.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from sing_core.files.joined_script import joined_script

_FOLDER = Path(__file__).parent

_MOUNT = st.components.v2.component(
    "sing_scrubber",
    html=(_FOLDER / "scrubber.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "scrubber.css").read_text(encoding="utf-8"),
    js=joined_script(_FOLDER / "scrubber.mjs"),
)


def scrubber(payload: Mapping[str, Any], *, key: str) -> float | None:
    """Mount the scrubber on one sweep of ``n`` steps and return the ε released on it.

    ``payload`` holds, with ``n`` values in every list and all angles in degrees:

    * ``mode``: ``"steer"`` or ``"remove"``; ``prompt``: the text target; ``before``: the class
      that stays, ``{"label", "probability"}``, and ``among`` (optional) how many chosen classes, 0
      for all; ``after``: the same of the step ``index`` in it;
    * ``epsilon``: ascending, first 0, feature-norm units; ``index``: where the slider starts;
    * ``image_score_deg``, ``attribute_score_deg``, ``max_logit_drift``, and ``max_abs_logit``, the
      one largest logit; up to a drift of ``drift_budget`` times that logit the decision is said to
      stand;
    * ``average_score_deg`` (optional): AS of the average concept; ``prompt_rank`` (optional): the
      prompt's place among ``concept_count`` concepts; ``feature_norm`` (optional): the length |f|
      to judge ε by; ``feasible_deg`` (optional): the largest IS that can be produced;
    * ``concepts``: ``{"label", "kind": "class" | "attribute" | "prompt", "angle_deg"}``;
    * ``target``: ``{"image_score_deg", "reachable", "index", "sentence"}``;
    * ``photo``: its square as a ``data:`` URL; ``no_photo``: what is said where it is "";
      ``photo_note`` (optional): what was done to its file; ``frames``: ``{"index", "src":
      "data:image/…", "badge"}``, possibly none; ``pictures``: what is said where there is no
      picture yet;
    * ``help``: texts for ``image_score``, ``attribute_score``, ``logit_drift``, ``epsilon`` and
      ``pictures``;
    * ``sweep_id`` (optional): names the sweep; without it, a digest of its numbers does. While it
      stays the same the slider keeps its place; a new one sends the slider to ``index``.

    A value that is not finite is shown as a dash. Texts are shown as text, never as HTML.

    Returns:
        The released ε (exactly one of ``payload["epsilon"]``), or None while nothing was released
        on this sweep. The page keeps the last one and turns it into the next ``index``.
    """
    data = {name: _finite(value) for name, value in payload.items()}
    data["sweep_id"] = payload.get("sweep_id") or _sweep_id(payload)
    result = _MOUNT(key=key, data=data, on_epsilon_change=_rerun_only)
    return _released(result.get("epsilon"), data)


def _rerun_only() -> None:
    """Registers ``epsilon`` as a state of the component; the rerun itself is the effect."""


def _finite(value: object) -> object:
    """Replace what JSON cannot carry (NaN and the infinities) by None, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _sweep_id(payload: Mapping[str, Any]) -> str:
    """Digest of what makes a sweep another sweep; frames and texts may arrive later."""
    names = ("mode", "prompt", "epsilon", "image_score_deg", "attribute_score_deg", "concepts")
    numbers = json.dumps([payload.get(name) for name in names])
    return hashlib.blake2b(numbers.encode(), digest_size=12).hexdigest()


def _released(state: object, data: Mapping[str, Any]) -> float | None:
    """Trust the browser only with a value of this very sweep."""
    if not isinstance(state, Mapping) or state.get("sweep_id") != data["sweep_id"]:
        return None
    value = state.get("value")
    return next((step for step in data.get("epsilon", []) if step == value), None)
