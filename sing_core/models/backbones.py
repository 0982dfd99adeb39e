"""timm adapter: penultimate features, the head, and the check that ``W f + b`` is the logits.

A timm head may be linear, a 1x1 convolution, or sit behind dropout or a norm. Whatever it is,
``forward_head(forward_features(x), pre_logits=True)`` must give the vector that the last layer
reads; the check on load decides, not the architecture's name.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, cast

import torch
from PIL import Image
from torch import Tensor, nn

from sing_core.errors import HeadError, ShapeError, WeightsUnavailableError
from sing_core.files.digests import content_key, network_digest
from sing_core.models.device import prepare_torch, torch_device
from sing_core.models.imagenet import IMAGENET_CLASSES
from sing_core.models.names import TimmName, parse_name
from sing_core.models.registry import find_model
from sing_core.models.timm_surface import TimmNetwork

if TYPE_CHECKING:
    from sing_core.settings import Settings

# float32 sums over 4096 terms in another order differ by about 1e-6 of the largest logit.
_HEAD_CHECK_RTOL = 1e-4
# Transformers of the largest inputs take a minute of a CPU for one image.
_SMALL_SIDE = 300
_TAKEN = (
    "This head has 1,000 classes whose names are not known: they are taken for those of "
    "ImageNet-1k, in their order. A list of names beside the weights says otherwise."
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a classifier is shown of a photo.

    Attributes:
        side: side of the square input in pixels.
        crop: side of the centre square that is shown, as a share of the shorter side of the photo.
        mean: of each colour, subtracted from pixels in [0, 1]; ``std`` divides them.
    """

    side: int
    crop: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """A frozen classifier split at its last linear layer.

    ``c`` classes, ``m`` features. The network is in eval mode, without gradients, and shared:
    nothing here changes it.

    Attributes:
        name: the name it was asked for by.
        network: the timm module.
        weight: ``(c, m)`` float32 head weight W on the CPU.
        bias: ``(c,)`` float32 head bias b on the CPU; zeros where the head has none.
        weights_digest: SHA-256 over all parameters and buffers.
        preprocess: photo (PIL, RGB) -> ``(3, h, w)`` float32, as the weights expect.
        sight: what ``preprocess`` does, in numbers.
        device: where ``features`` runs.
        head_error: largest ``|W f + b - logits|`` of the check on load, relative to max |logit|.
        labels: ``c`` class names that came with the weights; () where they brought none.
        notes: whole sentences about how the weights were read, where that is not plain.
    """

    name: str
    network: nn.Module
    weight: Tensor
    bias: Tensor
    weights_digest: str
    preprocess: Callable[[Image.Image], Tensor]
    sight: Sight
    device: str
    head_error: float
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_timm(
        cls,
        network: nn.Module,
        *,
        name: str,
        device: str = "cpu",
        labels: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> "Backbone":
        """Wrap a timm classifier with loaded weights; ``labels`` are taken if there are c of them.

        Where there are others a note says so.

        Raises:
            HeadError: there is no linear head, or it does not reproduce the logits.
        """
        from timm.data import create_transform, resolve_data_config

        network = network.eval().requires_grad_(False)
        weight, bias = head_of(network)
        config = resolve_data_config({}, model=network)  # type: ignore[no-untyped-call]
        digest = digest_of(network)
        network = network.to(device).to(memory_format=torch.channels_last)
        error = head_check(network, weight, bias, config["input_size"], device)
        preprocess = create_transform(**config, is_training=False)
        sight = Sight(config["input_size"][-1], config["crop_pct"], config["mean"], config["std"])
        if labels and len(labels) != len(weight):
            said = f"{name} came with {len(labels):,} class names for the {len(weight):,} classes"
            labels, notes = (), (*notes, f"{said} of its head; they are left out.")
        return cls(
            name, network, weight, bias, digest, preprocess, sight, device, error, labels, notes
        )

    @property
    def feature_dim(self) -> int:
        """Width m of the features."""
        return self.weight.shape[1]

    @property
    def memory_bytes(self) -> int:
        """What the weights take in memory, head included."""
        held = (*self.network.parameters(), *self.network.buffers(), self.weight, self.bias)
        return sum(value.numel() * value.element_size() for value in held)

    def features(self, batch: Tensor) -> Tensor:
        """Return ``(n, m)`` float32 features on the CPU for a preprocessed batch ``(n, 3, h, w)``.

        Raises:
            ShapeError: the batch is not four-dimensional.
        """
        if batch.ndim != 4:
            raise ShapeError(f"A batch is (images, 3, height, width), got {tuple(batch.shape)}.")
        batch = batch.to(self.device, memory_format=torch.channels_last)
        with torch.inference_mode():
            found = _penultimate(self.network, batch).float().cpu()
        return found.clone()  # leaves inference mode's restrictions behind

    def logits(self, features: Tensor) -> Tensor:
        """Return ``W f + b``, ``(..., c)``, in the head's own float32 arithmetic."""
        return features.float() @ self.weight.mT + self.bias

    def levels(self, image: Image.Image) -> Tensor:
        """Return what is seen of a photo, ``(3, h, w)`` float32 in whole levels from 0 to 255."""
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.sight.mean, self.sight.std))
        return ((self.preprocess(image) * std + mean) * 255).round()

    def sees(self, levels: Tensor) -> Tensor:
        """Return ``(n, m)`` float32 features of pictures ``(n, 3, h, w)`` in levels from 0 to 255.

        Gradients flow, and what is returned stays on the device of the weights.
        """
        batch = levels.to(self.device)
        mean, std = (batch.new_tensor(v).view(3, 1, 1) for v in (self.sight.mean, self.sight.std))
        batch = ((batch / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
        return _penultimate(self.network, batch).float()

    def extract(
        self, photos: Iterable[Image.Image | Callable[[], Image.Image]], *, batch_size: int = 16
    ) -> Iterator[Tensor]:
        """Yield ``(k, m)`` features batch by batch, the next batch being decoded meanwhile.

        ``photos`` are RGB images, or functions that decode one (so that decoding overlaps too).
        """
        waiting = iter(photos)

        def ready(photo: Image.Image | Callable[[], Image.Image]) -> Tensor:
            return self.preprocess(photo if isinstance(photo, Image.Image) else photo())

        with ThreadPoolExecutor(max_workers=2) as pool:
            ahead = [pool.submit(ready, photo) for photo in islice(waiting, batch_size)]
            while ahead:
                batch = torch.stack([future.result() for future in ahead])
                ahead = [pool.submit(ready, photo) for photo in islice(waiting, batch_size)]
                yield self.features(batch)


def _penultimate(network: nn.Module, batch: Tensor) -> Tensor:
    parts = cast("TimmNetwork", network)
    return parts.forward_head(parts.forward_features(batch), pre_logits=True).flatten(1)


def head_of(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Return copies of the head's ``(c, m)`` weight and ``(c,)`` bias, float32 on the CPU.

    Raises:
        HeadError: the classifier is missing or is neither linear nor a 1x1 convolution.
    """
    layer = cast(TimmNetwork, network).get_classifier()
    if isinstance(layer, tuple):
        raise HeadError(
            f"This network has {len(layer)} heads and averages their logits; one linear head is "
            "needed."
        )
    is_pointwise = (
        isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) and layer.groups == 1
    )
    if not (isinstance(layer, nn.Linear) or is_pointwise):
        raise HeadError(
            f"This network ends in {type(layer).__name__}; a linear layer or a 1x1 convolution "
            "over classes is needed."
        )
    state = layer.state_dict()
    weight = state["weight"].flatten(1).float().cpu().clone()
    bias = state["bias"].float().cpu() if "bias" in state else torch.zeros(len(weight))
    return weight, bias.clone()


def head_check(
    network: nn.Module, weight: Tensor, bias: Tensor, input_size: tuple[int, ...], device: str
) -> float:
    """Return ``max |W f + b - logits| / max |logits|`` on random images, one if they are large.

    Raises:
        HeadError: it exceeds 1e-4: the vector before the head is not what the head reads.
    """
    generator = torch.Generator().manual_seed(0)
    count = 2 if input_size[-1] <= _SMALL_SIDE else 1
    batch = torch.randn(count, *input_size, generator=generator).to(device)
    with torch.inference_mode():
        logits = cast(TimmNetwork, network)(batch).float().cpu()
        features = _penultimate(network, batch).float().cpu()
    if features.shape[-1] != weight.shape[1]:
        raise HeadError(
            f"The head reads {weight.shape[1]} features, the network gives {features.shape[-1]}."
        )
    if not bool(logits.isfinite().all() and features.isfinite().all()):
        raise HeadError(
            "This network answers a picture of noise with numbers that are not finite (a weight "
            "is not, or a variance is below zero): its head cannot be analysed."
        )
    difference = float((features @ weight.mT + bias - logits).abs().max())
    error = difference / max(float(logits.abs().max()), 1e-30)
    if not error <= _HEAD_CHECK_RTOL:
        raise HeadError(
            f"W f + b differs from the network's logits by {error:.1e} of the largest logit "
            f"(allowed {_HEAD_CHECK_RTOL:.0e}): this head cannot be analysed."
        )
    return error


def digest_of(network: nn.Module) -> str:
    """Return the ``network_digest`` of all parameters and buffers."""
    return network_digest(network.state_dict())


def is_taken_for_imagenet(name: str, backbone: Backbone) -> bool:
    """Return whether only their number says that classes of own weights are ImageNet-1k's."""
    said = "in1k" in name.lower() or isinstance(parse_name(name), TimmName)
    return not said and not backbone.labels and len(backbone.weight) == IMAGENET_CLASSES


def load_backbone(name: str, settings: "Settings") -> Backbone:
    """Load a classifier: a row of the registry, or any name that ``model_names`` describes.

    Raises:
        UnknownNameError: neither the registry nor timm knows the name.
        WeightsUnavailableError: the weights are missing, tampered with, cannot be fetched, or do
            not fit.
        HeadError: the head cannot be analysed.
    """
    from sing_core.models.networks import load_network

    prepare_torch(settings)
    entry = find_model(name, settings)
    loaded = load_network(name, settings)
    backbone = Backbone.from_timm(
        loaded.network,
        name=name,
        device=torch_device(settings),
        labels=loaded.labels,
        notes=loaded.notes,
    )
    if entry is None and is_taken_for_imagenet(name, backbone):
        backbone = replace(backbone, notes=(*backbone.notes, _TAKEN))
    if loaded.named_side:
        digest = content_key(backbone.weights_digest, f"side {loaded.named_side}")
        backbone = replace(backbone, weights_digest=digest)
    if entry is not None and entry.ships and backbone.weights_digest != entry.weights_digest:
        raise WeightsUnavailableError(
            f"The weights of {name} are not the pinned ones (digest "
            f"{backbone.weights_digest[:12]}, expected {entry.weights_digest[:12]}). "
            "Delete the cache folder to assemble them again."
        )
    return backbone
