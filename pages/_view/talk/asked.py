"""From Explore to the talk and back: a scene of a link, and the link of a scene."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from pages._view import loaders, pickers
from sing_core.errors import SceneError
from sing_core.files.samples import SAMPLES
from sing_core.maths.head_variants import parse_classes
from sing_core.models import registry
from sing_core.sets.stored import digest_of
from sing_core.talk.scene import Scene, scene_from_fields

_LAST = "talk.last_link"
_LINK = "app.link"  # where pages/_view/state.py keeps what the URL shall say
_FIRST_CLASSES, _FIRST_SHARE = "0-15", "0.05"


def remember() -> None:
    """Note what Explore showed last; before ``state.enter``, which notes the page that runs."""
    if st.session_state.get("app.page") == "explore":
        link = st.session_state.get(_LINK, {})
        st.session_state[_LAST] = f"./?{urlencode(link)}"


def remembered() -> str:
    """Return the link to what Explore showed last in this session; "" where it showed nothing."""
    return str(st.session_state.get(_LAST, ""))


def scene_of_link(query: Mapping[str, str], name: str, caption: str, notes: str) -> Scene:
    """Return the scene that asks what a link of Explore asks; what it leaves out is the default.

    Raises:
        SceneError: it asks for something that no scene can have.
        HeadError: its classes are none of the classifier's.
    """
    settings = loaders.settings()
    model = query.get("model", next(iter(loaders.models())))
    head = query.get("head", "whole")
    fields: dict[str, object] = {
        "name": name,
        "photo": digest_of(query.get("photo", SAMPLES[0].name)),
        "model": model,
        "prompt": query.get("prompt", pickers.DEFAULT_PROMPT),
        "mode": query.get("mode", "steer"),
        "reference": query.get("reference", registry.references(settings)[0].name),
        "epsilon": _number(query["eps"]) if query.get("eps") else None,
        "centred": head == "centred",
        "threshold": _number(query.get("share", _FIRST_SHARE)) if head == "threshold" else 0.0,
        "drawn": query.get("drawn", "feasible"),
        "caption": caption,
        "notes": notes,
    }
    if head == "classes":
        text = query.get("classes", _FIRST_CLASSES)
        fields["classes"] = list(parse_classes(text, loaders.class_names(model)))
    return scene_from_fields(fields)


def link_of_scene(scene: Scene) -> str:
    """Return the address at which Explore asks what ``scene`` asks."""
    asked = {
        "photo": scene.photo,
        "model": scene.model,
        "prompt": scene.prompt,
        "mode": scene.mode,
        "reference": scene.reference,
        "drawn": scene.drawn,
    }
    if scene.classes:
        asked |= {"head": "classes", "classes": ", ".join(map(str, scene.classes))}
    elif scene.centred:
        asked["head"] = "centred"
    elif scene.threshold:
        asked |= {"head": "threshold", "share": f"{scene.threshold:g}"}
    if scene.epsilon is not None:
        asked["eps"] = f"{scene.epsilon:.6g}"
    return f"./?{urlencode(asked)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SceneError(f"“{text[:40]}” in this link is no number.") from error
