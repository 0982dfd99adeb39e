"""A network from a person's own file: judged from its header, then built once, at its own size."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from sing_core.errors import HeadError, WeightsUnavailableError
from sing_core.files.weight_files import Shapes, refuse_other_kinds, shapes_in
from sing_core.models.checkpoint_names import Match, Wanted, match_names

# ``(classes, side)`` -> the network with random weights; a side of 0 is the architecture's own.
Build = Callable[[int, int], nn.Module]
_POSITIONS = ("pos_embed", "positional_embedding", "position_embeddings", "pos_embedding")
# What timm raises for a size or a device that an architecture cannot be built at.
_UNBUILDABLE = (TypeError, ValueError, RuntimeError, AssertionError)


def fill(
    architecture: str, path: Path, build: Build, *, headless: bool, side: int = 0
) -> tuple[nn.Module, tuple[str, ...]] | None:
    """Return the network with the weights in ``path``, and sentences about what is not plain.

    ``headless`` ignores the head; a ``side`` of the input of 0 is what the file says. None: the
    names are not the network's own, as in checkpoints of other libraries: nothing can be judged.

    Raises:
        WeightsUnavailableError: the file is no whole network of this architecture.
        HeadError: it has no head, or not one that is linear.
    """
    shapes = shapes_in(path)
    wanted = _wanted(architecture, _blank(build, headless, 0), headless)
    match = match_names(path.name, wanted, shapes)
    if match is None:
        _check_foreign(path.name, wanted, shapes)
        if side:
            raise WeightsUnavailableError(
                f"{path.name} has the names of another library: no input size can be named for it."
            )
        return None
    built = side_of(path.name, wanted.shapes, match.sources, shapes, build, side)
    if built:
        wanted = _wanted(architecture, _blank(build, headless, built), headless)
    _check_shapes(path.name, wanted, match, shapes)
    read = [source for name, source in match.sources.items() if name in wanted.floats]
    refuse_other_kinds(path, read)
    network = build(match.classes, built)
    _load(network, path, match)
    if built or side:
        tell_size(network, built or side)
    return network, match.notes + _on_size(path.name, built, side)


def _on_size(where: str, built: int, named: int) -> tuple[str, ...]:
    if named:
        return (f"Images are shown to {where} at {named} x {named} px, as its name asks.",)
    if not built:
        return ()
    return (
        f"{where} was trained at {built} x {built} px, as its position embedding says; images are "
        "shown to it at that size.",
    )


def tell_size(network: nn.Module, side: int) -> None:
    """Let preprocessing know of another input size than the architecture's own."""
    parts = cast(Any, network)
    parts.pretrained_cfg = {**parts.pretrained_cfg, "input_size": (3, side, side)}


def side_of(
    where: str, wanted: Shapes, sources: dict[str, str], shapes: Shapes, build: Build, named: int
) -> int:
    """Return the side of the input that the network is built at, 0 for the architecture's own.

    A position embedding of another length asks for it; else ``named``, where sides can be chosen.

    Raises:
        WeightsUnavailableError: the embedding belongs to no square image that the architecture
            takes, or to another one than was named.
    """
    if named:
        return _side_named(where, sources, shapes, build, named)
    for name, source in sources.items():
        if not name.endswith(_POSITIONS) or wanted[name] == shapes[source]:
            continue
        own = int(cast(Any, _blank(build, True, 0)).pretrained_cfg["input_size"][-1])
        side = _scaled(wanted[name], shapes[source], own)
        if side and _takes(build, side, name, shapes[source]):
            return side
        raise WeightsUnavailableError(_other_size(where, source, shapes[source], wanted[name]))
    return 0


def _side_named(
    where: str, sources: dict[str, str], shapes: Shapes, build: Build, named: int
) -> int:
    try:
        state = _blank(build, True, named).state_dict()
    except _UNBUILDABLE:
        return 0  # it takes images of any size, and is not told of one
    for name, source in sources.items():
        if name.endswith(_POSITIONS) and tuple(state[name].shape) != shapes[source]:
            raise WeightsUnavailableError(
                f"{where} was not trained at {named} x {named} px: {source} has the shape "
                f"{shapes[source]}, and images of that size need {tuple(state[name].shape)}."
            )
    return named


def _scaled(wanted: tuple[int, ...], found: tuple[int, ...], side: int) -> int:
    """Return the side at which a grid of ``found`` positions arises; 0 where it is no square."""
    if len(wanted) != len(found) or wanted[-1] != found[-1] or min(found) < 1:
        return 0
    if len(wanted) == 4:
        return side * found[1] // wanted[1] if found[1] == found[2] else 0
    grid = math.isqrt(wanted[-2])
    positions = found[-2] - (wanted[-2] - grid**2)  # without class and register tokens
    new = math.isqrt(max(positions, 0))
    return side * new // grid if new and new**2 == positions and grid else 0


def _takes(build: Build, side: int, name: str, shape: tuple[int, ...]) -> bool:
    try:
        state = _blank(build, True, side).state_dict()
    except _UNBUILDABLE:
        return False
    return name in state and tuple(state[name].shape) == shape


def _blank(build: Build, headless: bool, side: int) -> nn.Module:
    """Return the network without memory for its weights, with a head of two classes or none."""
    classes = 0 if headless else 2
    try:
        with torch.device("meta"):
            return build(classes, side)
    except (RuntimeError, NotImplementedError):  # some architectures compute while being built
        return build(classes, side)


def _wanted(architecture: str, network: nn.Module, headless: bool) -> Wanted:
    state = network.state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    floats = frozenset(name for name, value in state.items() if value.is_floating_point())
    found = cast(Any, network).pretrained_cfg["classifier"] or ()
    heads = (found,) if isinstance(found, str) else tuple(found)
    here = tuple(head for head in heads if not headless and f"{head}.weight" in shapes)
    parts = {name for name, _ in network.named_children()} | {n.split(".")[0] for n in shapes}
    return Wanted(architecture, shapes, here, frozenset(parts | set(vars(network))), floats)


def _check_foreign(where: str, wanted: Wanted, shapes: Shapes) -> None:
    """Check what can be checked where the names are not the network's: timm resizes unsaid."""
    for head in wanted.heads:
        shape, width = shapes.get(f"{head}.weight"), wanted.shapes[f"{head}.weight"][1:]
        if shape is not None and (
            math.prod(shape[1:]) != math.prod(width) or not min(shape, default=0)
        ):
            raise HeadError(
                f"{where} has {head}.weight in the shape {shape}, and {wanted.architecture} needs "
                f"(classes, {', '.join(map(str, width))}) with at least one class."
            )
    for name in wanted.shapes:
        shape = wanted.shapes[name]
        found = [
            shapes[source]
            for source in shapes
            if name.endswith(_POSITIONS)
            and source.endswith(_POSITIONS)
            and shapes[source][-1:] == shape[-1:]
        ]
        if found and all(math.prod(other) != math.prod(shape) for other in found):
            raise WeightsUnavailableError(_other_size(where, name, found[0], shape))


def _other_size(where: str, name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return (
        f"{where} has {name} in the shape {found} and this architecture {wanted}: it was trained "
        "on images of another size, and not on square ones that this architecture takes. It is "
        "not resampled; save it at a square size, under the names that timm gives."
    )


def _check_shapes(where: str, wanted: Wanted, match: Match, shapes: Shapes) -> None:
    for name, source in match.sources.items():
        if not wanted.is_head(name) and wanted.shapes[name] != shapes[source]:
            raise WeightsUnavailableError(
                f"{where} has {source} in the shape {shapes[source]}, and {wanted.architecture} "
                f"needs {wanted.shapes[name]}."
            )


def _load(network: nn.Module, path: Path, match: Match) -> None:
    from safetensors import safe_open

    state: dict[str, Tensor] = network.state_dict()
    with safe_open(path, framework="pt") as file:
        for name, value in state.items():
            if name in match.sources:
                state[name] = file.get_tensor(match.sources[name]).reshape(value.shape)
            elif name.endswith(".bias"):  # of the head: nothing else may lack
                state[name] = torch.zeros_like(value)
    network.load_state_dict(state)
