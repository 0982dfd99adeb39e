"""Karlo's networks, loaded component by component (the stock pipeline's loader fails since 0.38).

Every component is checked before it is trusted: its class, that its weights fill it exactly, and
that the components fit each other. diffusers itself fills what a file lacks with random numbers.
"""

import math
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from sing_core.errors import OptionalDependencyError, WeightsUnavailableError
from sing_core.files.file_notes import Progress
from sing_core.models.device import prepare_torch, torch_device
from sing_core.pictures.karlo.files import (
    KarloFiles,
    check_class,
    find_karlo,
    first_line,
    unreadable,
)
from sing_core.pictures.karlo.prompt import EmptyPrompt, encode_empty_prompt
from sing_core.pictures.karlo.unclip import UnclipSchedule

if TYPE_CHECKING:
    from sing_core.settings import Settings

_CLASSES = {
    "text_proj": "UnCLIPTextProjModel",
    "decoder": "UNet2DConditionModel",
    "super_res_first": "UNet2DModel",
    "super_res_last": "UNet2DModel",
}


@dataclass(frozen=True, slots=True, eq=False)
class KarloNetworks:
    """Karlo's frozen parts on one device, shared: nothing here changes them.

    Attributes:
        weights_id: digest of the files they came from.
        text_proj: embeddings -> the decoder's conditions.
        decoder: draws ``small_px`` pictures.
        super_res_first: all but the last step of enlarging them.
        super_res_last: the last step.
        decoder_schedule: noise of the decoder's steps.
        super_res_schedule: noise of the enlarging steps.
        empty_prompt: see there; the text tower itself is not kept.
        device: where they run.
        dtype: float16 on CUDA, float32 on the CPU.
    """

    weights_id: str
    text_proj: Any
    decoder: Any
    super_res_first: Any
    super_res_last: Any
    decoder_schedule: UnclipSchedule
    super_res_schedule: UnclipSchedule
    empty_prompt: EmptyPrompt
    device: str
    dtype: torch.dtype

    @property
    def embedding_dim(self) -> int:
        """Width d of the embeddings."""
        return int(self.text_proj.config.clip_embeddings_dim)

    @property
    def small_px(self) -> int:
        """Side of the decoder's pictures, in pixels."""
        return int(self.decoder.config.sample_size)

    @property
    def large_px(self) -> int:
        """Side of the enlarged pictures, in pixels."""
        return int(self.super_res_first.config.sample_size)


def load_karlo(settings: "Settings", progress: Progress | None = None) -> KarloNetworks:
    """Find, verify and load Karlo from this machine; never uses the network.

    Raises:
        WeightsUnavailableError: a file is missing, refused, damaged or of another architecture.
        OptionalDependencyError: the installed diffusers lacks a class of Karlo's.
    """
    prepare_torch(settings)
    files = find_karlo(settings, progress)
    device = torch_device(settings)
    dtype = torch.float16 if device == "cuda" else torch.float32
    networks: dict[str, Any] = {}
    for name in _CLASSES:
        if progress is not None:
            progress(f"Loading Karlo's {name}.")
        networks[name] = _load_network(files, name, device, dtype)
    prompt = encode_empty_prompt(files)
    _check_fit(networks, prompt)
    found = KarloNetworks(
        files.weights_id,
        networks["text_proj"],
        networks["decoder"],
        networks["super_res_first"],
        networks["super_res_last"],
        _load_schedule(files, "decoder_scheduler", learned_variance=True),
        _load_schedule(files, "super_res_scheduler", learned_variance=False),
        prompt,
        device,
        dtype,
    )
    files.remember()  # only what could be used is held to
    return found


def _import_class(name: str) -> Any:  # noqa: ANN401 - diffusers has no common type for them
    try:
        from diffusers import UNet2DConditionModel, UNet2DModel
        from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel
    except ImportError as error:
        raise OptionalDependencyError(
            "The installed diffusers has no UnCLIP any longer; run "
            "`pip install -r requirements.txt`."
        ) from error
    classes = (UnCLIPTextProjModel, UNet2DConditionModel, UNet2DModel)
    return next(kind for kind in classes if kind.__name__ == name)


def _load_network(files: KarloFiles, name: str, device: str, dtype: torch.dtype) -> nn.Module:
    """Build a component without memory, then let its parameters be the file's tensors."""
    config = files.read_json(f"{name}/config.json")
    check_class(config, f"{name}/config.json", _CLASSES[name])
    try:
        with torch.device("meta"):
            module: nn.Module = _import_class(_CLASSES[name]).from_config(config)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        raise WeightsUnavailableError(
            f"Karlo's {name}/config.json describes no network that can be built "
            f"({first_line(error)}); fetch it again."
        ) from error
    own = _read_weights(files.root / files.weights[name], files.weights[name])
    # Outside of what follows: a device that refuses is no fault of the file.
    tensors = {key: value.to(device, dtype, copy=True) for key, value in own}
    try:
        module.load_state_dict(tensors, strict=True, assign=True)
    except RuntimeError as error:
        raise WeightsUnavailableError(
            f"Karlo's {files.weights[name]} does not fill the network that {name}/config.json "
            f"describes ({first_line(error)}); fetch both from the same revision."
        ) from error
    return module.eval().requires_grad_(False)


def _read_weights(path: Path, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield a weight file's tensors; pickles come here only when they were allowed by name."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118 - it is no mapping
                    yield key, file.get_tensor(key)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
            if not all(isinstance(value, Tensor) for value in dict(found).values()):
                raise ValueError("it holds other things than tensors")
            yield from found.items()
    except (OSError, EOFError, ValueError, TypeError, RuntimeError) as error:
        raise unreadable(name, error) from error
    except (SafetensorError, pickle.UnpicklingError) as error:
        raise unreadable(name, error) from error


def _load_schedule(files: KarloFiles, name: str, *, learned_variance: bool) -> UnclipSchedule:
    path = f"{name}/scheduler_config.json"
    config = files.read_json(path)
    check_class(config, path, "UnCLIPScheduler")
    needed = {
        "variance_type": "learned_range" if learned_variance else "fixed_small_log",
        "prediction_type": "epsilon",
        "beta_schedule": "squaredcos_cap_v2",
    }
    defaults = {"variance_type": "fixed_small_log", **{k: needed[k] for k in [*needed][1:]}}
    for key, value in needed.items():
        found = config.get(key, defaults[key])
        if found != value:
            raise WeightsUnavailableError(
                f"This is not Karlo: {path} has the {key} “{found}”, and “{value}” is needed."
            )
    return UnclipSchedule.cosine(
        learned_variance=learned_variance,
        train_steps=int(config.get("num_train_timesteps", 1000)),
        clip=float(config.get("clip_sample_range", 1))
        if config.get("clip_sample", 1)
        else math.inf,
    )


def _check_fit(networks: Mapping[str, Any], prompt: EmptyPrompt) -> None:
    """Refuse components that would not understand each other.

    Raises:
        WeightsUnavailableError: a width of one is not the width of the next.
    """
    text_proj, decoder = networks["text_proj"].config, networks["decoder"].config
    first, last = networks["super_res_first"].config, networks["super_res_last"].config
    facts = (
        ("text_proj's embeddings", text_proj.clip_embeddings_dim, prompt.embedding.shape[1]),
        ("text_proj's embeddings", text_proj.clip_embeddings_dim, prompt.states.shape[2]),
        ("the decoder's context", decoder.cross_attention_dim, text_proj.cross_attention_dim),
        ("the decoder's time", 4 * decoder.block_out_channels[0], text_proj.time_embed_dim),
        ("the decoder's class embedding", decoder.class_embed_type, "identity"),
        ("the decoder's input", decoder.in_channels, 3),
        ("the decoder's output", decoder.out_channels, 6),
        ("super_res_first's input", first.in_channels, 6),
        ("super_res_first's output", first.out_channels, 3),
        ("super_res_last's input", last.in_channels, 6),
        ("super_res_last's output", last.out_channels, 3),
        ("super_res_last's side", last.sample_size, first.sample_size),
    )
    for what, found, needed in facts:
        if found != needed:
            raise WeightsUnavailableError(
                f"This is not Karlo, or its parts come from different revisions: {what} is "
                f"{found}, and {needed} is needed."
            )
