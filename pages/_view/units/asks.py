"""What the Units page asks the core, kept per photo, network and prompt."""

from collections.abc import Callable

import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from pages._view import loaders
from pages._view.tables.opened import kept
from pages._view.units.scene import Asked
from sing_core.files.digests import content_key
from sing_core.maths.linear_head import LinearHead
from sing_core.models.names import file_state
from sing_core.models.prompts import class_prompt, clean_prompt
from sing_core.models.references import space_id
from sing_core.models.registry import base_of
from sing_core.units import ledger, segmentation
from sing_core.units.inside import Inside, open_inside
from sing_core.units.tokens import PARTS, PhotoUnits, TokenMap, look_inside, pulled_back, token_map

Maps = tuple[dict[str, TokenMap], str, str]


def state_of(model: str, reference: str) -> str:
    """Return what changes with the weights of a network and the way into its reference."""
    bench = loaders.bench()
    space = space_id(base_of(reference), loaders.settings())
    if not model:
        return content_key(reference, space)
    fit = bench.translator_state(model, reference)
    weights = bench.entry(model).weights_digest
    return content_key(model, file_state(model), weights, reference, space, fit)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(key: str, _open: Callable[[], Inside]) -> Inside:
    return _open()


@st.cache_resource(max_entries=4, show_spinner=False)
def _segmenter(key: str, _open: Callable[[], segmentation.Segmenter]) -> segmentation.Segmenter:
    return _open()


@st.cache_resource(max_entries=8, show_spinner=False)
def _apart(key: str, _look: Callable[[], PhotoUnits]) -> PhotoUnits:
    return _look()


def inside_of(asked: Asked) -> Inside:
    """Return the network that is taken apart.

    Raises:
        SingError: see ``open_inside``.
    """
    model, reference = asked.model, asked.reference
    return _opened(
        state_of(model, reference), lambda: open_inside(loaders.bench(), reference, model)
    )


def key_of(verb: str, asked: Asked, *more: str) -> str:
    """Return a key that changes with all that is asked about a photo."""
    state = state_of(asked.model, asked.reference)
    variant = repr(asked.variant)
    return content_key(verb, asked.photo.digest, state, asked.prompt, variant, *more)


def taken_apart(asked: Asked) -> PhotoUnits:
    """Return the photo taken apart, once for all questions about it.

    Raises:
        SingError: see ``open_inside``.
    """
    inside = inside_of(asked)
    key = content_key("apart", asked.photo.digest, state_of(asked.model, asked.reference))

    def look() -> PhotoUnits:
        loaders.rest()
        return look_inside(inside, asked.photo.image)

    return _apart(key, look)


def text_of(asked: Asked, text: str) -> tuple[Tensor, str]:
    """Return the embedding of a text and what it says: the class that is read without one.

    Raises:
        SingError: it cannot be read, or embedded.
    """
    bench, photo = loaders.bench(), taken_apart(asked)
    inside = photo.inside
    if text:
        said = clean_prompt(text, max_chars=bench.settings.max_prompt_chars)
    else:
        said = class_prompt(inside.labels[int(inside.logits(photo.output).argmax())])
    return bench.text_embedding(inside.reference, said, inside.vocabulary), said


def deciding(asked: Asked) -> tuple[LinearHead, str]:
    """Return the head that decides, and in words which part of it; "" for the whole.

    Raises:
        HeadError: it has no such part.
        SingError: see ``open_inside``.
    """
    photo = taken_apart(asked)
    inside = photo.inside
    variant = inside.variant_for(photo.output, asked.variant)
    if variant == asked.variant:
        return inside.deciding(variant), variant.sentence
    names = ", ".join(inside.labels[place] for place in variant.classes)
    why = (
        "What all of its words leave out no text can name."
        if inside.is_own
        else "The whole head hides nothing: it reads every direction."
    )
    return inside.deciding(variant), (
        f"{why} So only the {len(variant.classes)} classes with the largest logits for this photo "
        f"are taken to decide: {names}."
    )


def ledger_of(asked: Asked) -> ledger.Ledger:
    """Return who wrote what is hidden.

    Raises:
        SingError: see ``open_inside`` and ``ledger``.
    """

    def ask() -> ledger.Ledger:
        text, said = text_of(asked, asked.prompt)
        return ledger.ledger(taken_apart(asked), deciding(asked)[0], text, said)

    found: ledger.Ledger = kept(key_of("ledger", asked), ask)
    return found


def hidden_tokens_of(asked: Asked) -> TokenMap | None:
    """Return which tokens wrote what is hidden, whatever the prompt; None where nothing is.

    Raises:
        SingError: see ``open_inside``.
    """
    return ledger.hidden_tokens(taken_apart(asked), deciding(asked)[0])


def maps_of(asked: Asked, against: str) -> Maps:
    """Return the maps of all, of what is hidden and of what decides, and what the texts say.

    ``against`` is a second text: the maps are then of the difference.

    Raises:
        SingError: see ``open_inside``.
    """

    def ask() -> Maps:
        photo, linear = taken_apart(asked), deciding(asked)[0]
        text, said = text_of(asked, asked.prompt)
        other, other_said = text_of(asked, against) if against else (None, "")
        found: dict[str, TokenMap] = {}
        for part in PARTS:
            direction = pulled_back(photo.inside, text, part, linear)
            if other is not None:
                direction = direction - pulled_back(photo.inside, other, part, linear)
            found[part] = token_map(photo, direction)
        return found, said, other_said

    maps: Maps = kept(key_of("maps", asked, against), ask)
    return maps


def map_of_head(asked: Asked, head: tuple[int, int]) -> TokenMap:
    """Return what the tokens of one (layer, head) add along the prompt.

    Raises:
        SingError: see ``open_inside``.
    """
    photo = taken_apart(asked)
    text, _ = text_of(asked, asked.prompt)
    return token_map(photo, pulled_back(photo.inside, text, "full", None), head)


def foreground_of(asked: Asked) -> segmentation.Foreground:
    """Return what the network takes for the foreground of the photo.

    Raises:
        SingError: see ``open_inside``.
    """
    model, reference = asked.model, asked.reference

    def ask() -> segmentation.Foreground:
        loaders.rest()
        opened = _segmenter(
            content_key("fine", state_of(model, reference)),
            lambda: segmentation.Segmenter.open(loaders.bench(), reference, model),
        )
        return opened.foreground(asked.photo.image)

    key = content_key("foreground", asked.photo.digest, state_of(model, reference))
    found: segmentation.Foreground = kept(key, ask)
    return found


def seen_by(inside: Inside, photo: Image.Image) -> Tensor:
    """Return the photo as the network sees it, ``(3, h, w)`` from 0 to 1."""
    black, white = (
        inside.prepare(Image.new("RGB", photo.size, colour))
        for colour in ((0, 0, 0), (255, 255, 255))
    )
    return torch.clamp((inside.prepare(photo) - black) / (white - black), 0, 1)
