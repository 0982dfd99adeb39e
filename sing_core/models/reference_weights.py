"""An open_clip model with the weights of exactly one file: judged by its shapes, never resampled.

open_clip stretches a position embedding of another length to the one that the configuration asks
for, without a word; every embedding is then another one than its authors'.
"""

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.weight_files import FLOATS, Entry, entries_in, other_kind
from sing_core.models.reference_files import CONFIG, ReferenceFiles

_IMAGE = ("visual.positional_embedding",)
_TEXT = (
    "positional_embedding",
    "text.positional_embedding",
    "text_encoder.positional_embedding.pos_embed.pos_embed",  # MobileCLIP's own
)
_WRAPPER = "module."


def built(files: ReferenceFiles, device: str) -> tuple[Any, Callable[[Image.Image], Tensor]]:
    """Return the model with the weights of exactly the file that was chosen, and its transform.

    What open_clip and torch raise of damaged files is left to the caller.

    Raises:
        WeightsUnavailableError: the weights are of another size of image, or length of prompts,
            than the configuration says; or they are whole numbers.
    """
    import open_clip

    if not files.is_folder and not Path(files.weights).is_file():  # a tag: open_clip's own pair
        model, _, preprocess = open_clip.create_model_and_transforms(
            files.source, pretrained=files.weights, device=device, **files.preprocess
        )
        return model, preprocess
    root = logging.getLogger()  # open_clip's: it would say that the network stays random
    root.addFilter(_is_of_interest)
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            files.source,
            load_weights=False,
            pretrained_text=False,
            device=device,
            **files.preprocess,
        )
    finally:
        root.removeFilter(_is_of_interest)
    path = Path(files.weights)
    _check(path, _entries(path), model)
    open_clip.load_checkpoint(model, files.weights, strict=True, weights_only=True)
    return model, preprocess


def _is_of_interest(record: logging.LogRecord) -> bool:
    return record.module != "factory" or "weights" not in record.getMessage()


def _entries(path: Path) -> dict[str, Entry]:
    """Return what lies in a weights file, from its header where it has one, without wrappers."""
    if path.suffix == ".safetensors":
        found = entries_in(path)
    else:
        held = torch.load(path, map_location="meta", weights_only=True)
        held = held.get("state_dict", held)
        found = {
            name: Entry(tuple(value.shape), _kind(value.dtype))
            for name, value in held.items()
            if isinstance(value, Tensor)
        }
    return {name.removeprefix(_WRAPPER): entry for name, entry in found.items()}


def _kind(dtype: torch.dtype) -> str:
    return FLOATS[0] if dtype.is_floating_point and dtype.itemsize > 1 else str(dtype)


def _check(path: Path, entries: Mapping[str, Entry], model: Any) -> None:  # noqa: ANN401
    """Check positions and kinds of numbers against the model that the configuration describes.

    Raises:
        WeightsUnavailableError: see ``built``.
    """
    own = model.state_dict()
    for name, entry in entries.items():
        held = own.get(name, own.get(f"text.{name}"))
        if held is not None and held.is_floating_point() and entry.kind not in FLOATS:
            raise WeightsUnavailableError(other_kind(path.name, name, entry.kind))
    found = _rows(entries, _TEXT)
    tower = model if hasattr(model, "positional_embedding") else getattr(model, "text", None)
    text = getattr(tower, "positional_embedding", None)
    if found and text is not None and found != len(text):
        said = getattr(tower, "context_length", len(text))
        raise WeightsUnavailableError(
            f"{path.name} has {found} positions for the tokens of a prompt, and its configuration "
            f"says {len(text)}. They are not resampled: let context_length be "
            f"{said + found - len(text)} in {CONFIG}."
        )
    found, image = _rows(entries, _IMAGE), getattr(model.visual, "positional_embedding", None)
    if found and image is not None and found != len(image):
        raise WeightsUnavailableError(_other_size(path.name, found, model.visual))


def _rows(entries: Mapping[str, Entry], names: tuple[str, ...]) -> int:
    """Return how many positions the first of ``names`` that is there has; 0 where none is."""
    shapes = [entries[name].shape for name in names if name in entries]
    return shapes[0][-2] if shapes and len(shapes[0]) > 1 else 0


def _other_size(where: str, found: int, tower: Any) -> str:  # noqa: ANN401
    """Return what is said of an image tower's weights with another number of positions."""
    sides, patch = tower.image_size, tower.patch_size
    size = " x ".join(map(str, sides)) if isinstance(sides, tuple) else str(sides)
    grid = math.isqrt(found - 1)
    side = grid * (patch[0] if isinstance(patch, tuple) else patch)
    said = f"{where} has {found} positions for images, and its configuration says {size} px"
    if grid**2 == found - 1:
        return (
            f"{said}: it was trained at {side} x {side} px. It is not resampled: let image_size "
            f"be {side} in {CONFIG}."
        )
    return f"{said}. It is not resampled: let image_size be what it was trained at."
