"""Translators as the method's authors publish them: ``metadata.yaml`` + ``best.pt`` -> ours."""

import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from sing_core.errors import TranslatorFileError
from sing_core.files.digests import sha256_of
from sing_core.files.regular import MB, read_regular
from sing_core.maths.translator import Translator
from sing_core.models.references import OPENAI_VIT_L14

# Their short names -> our names of the classifiers in their model list (torchvision's as in timm).
MODELS = {
    "resnet": "resnet50.tv_in1k",
    "dinovit1": "vit_large_patch16_224.augreg_in21k_ft_in1k",
    "bitresnet": "resnetv2_50x1_bit.goog_in21k_ft_in1k",
    "resnext": "resnext101_32x8d.fb_wsl_ig1b_ft_in1k",
    "efficientnet": "tf_efficientnet_b0.ns_jft_in1k",
    "dinov2": "dinov2_large.imagenet1k_1_layer",
    "swin_large": "swin_large_patch4_window7_224.ms_in22k_ft_in1k",
    "deit": "deit3_large_patch16_224.fb_in1k",
    "densenet": "densenet121.tv_in1k",
    "eva02_large": "eva02_large_patch14_448.mim_in22k_ft_in22k_in1k",
    "convnext": "convnext_base.fb_in22k_ft_in1k",
    "vgg16": "vgg16.tv_in1k",
    "vgg19": "vgg19.tv_in1k",
}
# Their embedding backends -> the reference's name and its space.
_BACKENDS = {"kakao_karlo_v1_alpha_image_variations": OPENAI_VIT_L14}
_PICKLE_TROUBLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    AttributeError,
    TypeError,
)


_MOST_CARD_BYTES = MB


@dataclass(frozen=True, slots=True)
class _Card:
    """What ``metadata.yaml`` must say."""

    model_name: str
    architecture: str
    embedding_backend: str
    in_dim: int
    out_dim: int
    checkpoint_file: str


def read_published(folder: Path, *, model: str = "", model_digest: str = "") -> Translator:
    """Return the translator in ``folder``; its formula there is ``T(f) = f W^T + b`` as here.

    ``model`` names the classifier in our words (empty: the timm name for theirs) and
    ``model_digest`` its weights, which their file does not say.

    Raises:
        TranslatorFileError: a file is missing, not what it should be, or of a kind that we cannot
            take over; the message says which.
    """
    card = _read_card(folder)
    if card.architecture != "linear":
        raise TranslatorFileError(
            f"{folder.name}: only linear translators can be taken over, this one is "
            f"“{card.architecture}”."
        )
    if card.embedding_backend not in _BACKENDS:
        raise TranslatorFileError(
            f"{folder.name}: the embedding backend “{card.embedding_backend}” is not known; "
            f"known: {', '.join(_BACKENDS)}."
        )
    path = folder / card.checkpoint_file
    weight, bias = _read_weights(path, card)
    return Translator(
        weight,
        bias,
        model or MODELS.get(card.model_name, card.model_name),
        model_digest,
        _BACKENDS[card.embedding_backend].space_id,
        {
            "source": "published by the method's authors (MIT)",
            "authors_name": card.model_name,
            "source_sha256": sha256_of(path),
            "reference": _BACKENDS[card.embedding_backend].name,
        },
    )


def _read_card(folder: Path) -> _Card:
    path = folder / "metadata.yaml"
    try:
        found: Any = yaml.safe_load(read_regular(path, _MOST_CARD_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TranslatorFileError(f"{path.name} in {folder.name} cannot be read.") from error
    except yaml.YAMLError as error:
        raise TranslatorFileError(f"{path.name} in {folder.name} is not YAML.") from error
    wanted = _Card.__annotations__
    if not isinstance(found, dict):
        found = {}
    wrong = [name for name, kind in wanted.items() if not isinstance(found.get(name), kind)]
    if wrong:
        raise TranslatorFileError(
            f"{path.name} in {folder.name} does not say, or says in another form: "
            f"{', '.join(wrong)}."
        )
    card = _Card(**{name: found[name] for name in wanted})
    if Path(card.checkpoint_file).name != card.checkpoint_file:
        raise TranslatorFileError(
            f"{path.name} in {folder.name} names a checkpoint outside its own folder."
        )
    return card


def _read_weights(path: Path, card: _Card) -> tuple[Tensor, Tensor]:
    if not path.is_file():  # nor a device or a pipe
        raise TranslatorFileError(f"The checkpoint {path.name} is missing beside metadata.yaml.")
    try:
        with warnings.catch_warnings():
            # Of a pickle by another program torch warns before it refuses; one sentence is enough.
            warnings.simplefilter("ignore", UserWarning)
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except _PICKLE_TROUBLE as error:
        raise TranslatorFileError(
            f"The checkpoint {path.name} is damaged, or holds more than weights, and is not opened."
        ) from error
    if not isinstance(stored, dict) or sorted(stored) != ["bias", "weight"]:
        raise TranslatorFileError(
            f"The checkpoint {path.name} should hold `weight` and `bias` and nothing else."
        )
    weight, bias = stored["weight"], stored["bias"]
    expected = ((card.out_dim, card.in_dim), (card.out_dim,))
    if not all(isinstance(t, Tensor) for t in (weight, bias)) or expected != (
        tuple(weight.shape),
        tuple(bias.shape),
    ):
        raise TranslatorFileError(
            f"The checkpoint {path.name} does not have the {card.in_dim} inputs and "
            f"{card.out_dim} outputs that metadata.yaml says."
        )
    if not bool(weight.isfinite().all() and bias.isfinite().all()):
        raise TranslatorFileError(f"The checkpoint {path.name} holds numbers that are not finite.")
    return weight.float().contiguous(), bias.float().contiguous()
