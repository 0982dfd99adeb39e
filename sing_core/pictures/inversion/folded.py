"""A network whose batch norms became part of the convolutions before them: the same, but quicker.

Behind a convolution, a batch norm in evaluation mode is a scale and a shift per channel, which the
convolution's weights can carry.
"""

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

_TOLERANCE = 1e-4
# Those that use their weights as they are; weight-standardised ones do not. The second is timm's.
_CONVOLUTIONS = ("Conv2d", "Conv2dSame")


def fold_batch_norms(network: nn.Module, example: Tensor) -> nn.Module:
    """Return ``network`` with every batch norm folded that directly follows a convolution.

    What follows what is seen on ``example`` ``(n, 3, s, s)``. Parameters that stay as they are are
    shared. Returned is ``network`` itself where nothing can be folded, or where the folded one
    would not give the same on ``example``, to 1e-4 of the largest output.
    """
    with torch.no_grad():
        shared: dict[int, Any] = {id(value): value for value in network.parameters()}
        folded = copy.deepcopy(network, shared)
        pairs = _pairs(folded, example)  # in the copy: others may use the network meanwhile
        if not pairs:
            return network
        for conv_name, norm_name in pairs:
            norm = folded.get_submodule(norm_name)
            _fold(cast("nn.Conv2d", folded.get_submodule(conv_name)), cast("nn.BatchNorm2d", norm))
            # timm's own have the activation inside.
            rest = [getattr(norm, part) for part in ("drop", "act") if hasattr(norm, part)]
            parent, _, name = norm_name.rpartition(".")
            setattr(folded.get_submodule(parent), name, nn.Sequential(*rest))
        before, after = network(example), folded(example)
        alike = float((before - after).abs().max()) <= _TOLERANCE * float(before.abs().max())
    return folded if alike else network


def _pairs(network: nn.Module, example: Tensor) -> list[tuple[str, str]]:
    """Return the names of the convolutions and of the batch norms that read what they give."""
    made: list[tuple[Tensor, str]] = []
    found: dict[str, list[str]] = {}
    hooks = []

    def made_by(name: str) -> Any:  # noqa: ANN401 - torch's own type of a hook
        return lambda module, inputs, output: made.append((output, name))

    def read_by(name: str) -> Any:  # noqa: ANN401
        def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            for output, conv in made:
                if output is inputs[0]:
                    found.setdefault(conv, []).append(name)

        return note

    for name, module in network.named_modules():
        if type(module).__name__ in _CONVOLUTIONS:
            hooks.append(module.register_forward_hook(made_by(name)))
        elif isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            hooks.append(module.register_forward_pre_hook(read_by(name)))
    try:
        network(example)
    finally:
        for hook in hooks:
            hook.remove()
    calls = [name for _, name in made]
    norms = [norm for readers in found.values() for norm in readers]
    return [
        (conv, readers[0])
        for conv, readers in found.items()
        if len(readers) == calls.count(conv) == norms.count(readers[0]) == 1
    ]


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, variance = cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
    scale = torch.rsqrt(variance.double() + norm.eps)
    if norm.affine:
        scale = scale * norm.weight.double()
    shift = -mean.double() * scale
    if conv.bias is not None:
        shift = shift + conv.bias.double() * scale
    if norm.affine:
        shift = shift + norm.bias.double()
    kind = conv.weight.dtype
    weight = (conv.weight.double() * scale.view(-1, 1, 1, 1)).to(kind)
    conv.weight = nn.Parameter(weight, requires_grad=False)
    conv.bias = nn.Parameter(shift.to(kind), requires_grad=False)
