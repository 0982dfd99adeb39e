"""timm networks with their weights: from a row of the registry, a name, the hub, or a file.

timm builds the network and puts the weights in (it knows the older names of its own checkpoints);
what it would fetch or open by itself is fetched and checked here first.
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from sing_core.errors import HeadError, UnknownNameError, WeightsUnavailableError
from sing_core.files import hub, weight_files
from sing_core.files.weight_files import Shapes, read_head, shapes_in
from sing_core.models.checkpoints import fill, tell_size
from sing_core.models.names import HOW_TO_NAME, FileName, HubName, TimmName, parse_name, unknown
from sing_core.models.registry import ModelEntry, find_model

if TYPE_CHECKING:
    from sing_core.settings import Settings

Head = tuple[Tensor, Tensor]
# What timm raises when the entries of a file are not those of the network.
_MISFITS = (RuntimeError, KeyError, ValueError, IndexError, TypeError, AttributeError)
_OPEN_CLIP = "open_clip_model.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class LoadedNetwork:
    """A network with its weights.

    Attributes:
        network: the timm module.
        labels: class names that came with the weights; () where they brought none.
        notes: whole sentences about how the file was read, where that is not plain.
        named_side: of the input, where the name says it; the weights do not tell it.
    """

    network: nn.Module
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    named_side: int = 0


def load_network(name: str, settings: "Settings") -> LoadedNetwork:
    """Return the network called ``name`` (see ``model_names``) with its weights.

    Raises:
        UnknownNameError: neither the registry nor timm knows the name.
        WeightsUnavailableError: the weights are missing, damaged, refused, cannot be fetched, or
            do not fit the architecture.
        HeadError: a separate head does not fit its backbone.
    """
    if (entry := find_model(name, settings)) is not None:
        return _of_row(entry, settings)
    found = parse_name(name)
    if isinstance(found, HubName):
        return _of_hub(found, settings)
    if isinstance(found, FileName):
        return _of_file(found)
    return LoadedNetwork(_of_timm(found, settings))


def check_known(name: str, settings: "Settings") -> None:
    """Check that ``name`` can be looked for at all: it is well formed, and timm has such a model.

    Raises:
        UnknownNameError: it cannot; the message lists what ships and says how to name others.
    """
    import timm

    if find_model(name, settings) is not None:
        return
    found = parse_name(name)
    if isinstance(found, TimmName) and not timm.is_model(found.name):
        raise unknown(name, settings)


def empty_network(entry: ModelEntry) -> nn.Module:
    """Return the network of a row at its true size with random weights; nothing is fetched."""
    classes = 0 if entry.head_repository else entry.classes
    network = _built(entry.architecture, classes, entry.side)
    if entry.side:
        tell_size(network, entry.side)
    if entry.head_repository:
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(entry.classes, entry.feature_dim, generator=generator)
        network = with_head(network, (weight * 0.02, torch.zeros(entry.classes)))
    return network


def with_head(network: nn.Module, head: Head) -> nn.Module:
    """Return a headless ``network`` with ``head`` ``(c, m)``, ``(c,)``; its width says on what.

    A head as wide as the pooled feature replaces the classifier; one twice as wide as a
    transformer's token reads class token and mean patch token (``TokenHead``).

    Raises:
        HeadError: it is neither.
    """
    from sing_core.models.token_head import TokenHead

    parts = cast(Any, network)
    width, (weight, bias) = int(parts.num_features), head
    if weight.shape[1] == int(getattr(parts, "head_hidden_size", width)):
        parts.reset_classifier(len(weight))
        layer = parts.get_classifier()
        layer.load_state_dict({"weight": weight.reshape(layer.weight.shape), "bias": bias})
        return network
    if weight.shape[1] == 2 * width and getattr(parts, "num_prefix_tokens", 0) >= 1:
        return TokenHead(network, weight, bias)
    raise HeadError(
        f"The head reads {weight.shape[1]} features; this backbone gives {width}, or {2 * width} "
        "where class token and mean patch token stand side by side."
    )


def _of_row(entry: ModelEntry, settings: "Settings") -> LoadedNetwork:
    if entry.ships:
        from sing_core.models.trunks import assemble_trunk

        path = assemble_trunk(entry.architecture, settings)
        return LoadedNetwork(_filled(entry.architecture, path, side=entry.side))
    weights = hub.fetch(entry.repository, hub.WEIGHTS, settings, revision=entry.revision).path
    if not entry.head_repository:
        return LoadedNetwork(_filled(entry.architecture, weights, side=entry.side))
    head = read_head(hub.fetch(entry.head_repository, hub.WEIGHTS, settings).path)
    return LoadedNetwork(_filled(entry.architecture, weights, side=entry.side, head=head))


def _of_file(name: FileName) -> LoadedNetwork:
    for path in filter(None, (name.weights, name.head)):
        shapes_in(path)
        weight_files.check_beside(path)
    head = read_head(name.head) if name.head is not None else None
    _config(name.architecture)
    build = partial(_built, name.architecture)
    found = fill(name.architecture, name.weights, build, headless=head is not None, side=name.side)
    if found is None:  # timm knows the names of other libraries' checkpoints
        found = _filled(name.architecture, name.weights, head=head), ()
    elif head is not None:
        found = with_head(found[0], head), found[1]
    network, notes = found
    classes = int(cast(Any, network).num_classes) if head is None else len(head[0])
    labels = weight_files.labels_beside(name.head or name.weights, classes)
    return LoadedNetwork(network, labels.lines, (*notes, *labels.notes), name.side)


def _built(architecture: str, classes: int, side: int) -> nn.Module:
    import timm

    return timm.create_model(architecture, num_classes=classes, **_size(side))


def _of_timm(name: TimmName, settings: "Settings") -> nn.Module:
    config = _config(name.name)
    if not config.hf_hub_id:
        raise WeightsUnavailableError(
            f"timm offers no safetensors weights for {name.name}. Give a tag that has them, a "
            "hub repository, or a local file."
        )
    is_clip = "open_clip" in (config.hf_hub_filename or "")
    file = _OPEN_CLIP if is_clip else hub.WEIGHTS
    return _filled(name.name, hub.fetch(config.hf_hub_id, file, settings).path)


def _of_hub(name: HubName, settings: "Settings") -> LoadedNetwork:
    import timm

    found = hub.fetch(name.repository, hub.CONFIG, settings, revision=name.revision)
    facts = _facts(found.path, name.repository)
    weights = hub.fetch(name.repository, hub.WEIGHTS, settings, revision=found.commit).path
    weight_files.refuse_other_kinds(weights)
    shapes = shapes_in(weights)
    try:
        network: nn.Module = timm.create_model(f"local-dir:{found.path.parent}", pretrained=True)
    except _MISFITS as error:
        raise _misfit(str(facts["architecture"]), name.repository, shapes, error) from error
    config = cast(dict[str, Any], cast(Any, network).pretrained_cfg)
    labels = config.get("label_names") or ()
    words = config.get("label_descriptions") or {}
    return LoadedNetwork(network, tuple(str(words.get(label, label)) for label in labels))


def _facts(path: Path, repository: str) -> dict[str, Any]:
    """Return the object in a repository's ``config.json``, which must name a timm architecture."""
    import timm

    try:
        facts = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsUnavailableError(f"The config.json of {repository} is no JSON.") from error
    architecture = facts.get("architecture") if isinstance(facts, dict) else None
    if not isinstance(architecture, str) or not timm.is_model(architecture):
        raise WeightsUnavailableError(
            f"{repository} is no timm classifier: its config.json names "
            f"{f'“{architecture}”' if architecture else 'no architecture'}, which timm does not "
            "know."
        )
    return cast(dict[str, Any], facts)


def _config(name: str) -> Any:  # noqa: ANN401  timm's PretrainedCfg ships no types
    """Return timm's facts on ``architecture`` or ``architecture.tag``."""
    import timm

    if not timm.is_model(name):
        raise UnknownNameError(
            f"No classifier is called “{name[:80]}”, here or in timm. {HOW_TO_NAME}"
        )
    try:
        return timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError as error:
        architecture, _, tag = name.partition(".")
        tags = ", ".join(found.partition(".")[2] for found in _tagged(architecture))
        raise UnknownNameError(
            f"timm has no weights tagged “{tag[:80]}” for {architecture}; it has {tags or 'none'}."
        ) from error


def _tagged(architecture: str) -> list[str]:
    from timm.models import get_arch_pretrained_cfgs

    return sorted(get_arch_pretrained_cfgs(architecture))


def _filled(architecture: str, path: Path, *, side: int = 0, head: Head | None = None) -> nn.Module:
    """Return ``architecture`` with the weights of a safetensors file, every entry used."""
    import timm

    config, shapes = _config(architecture), shapes_in(path)
    weight_files.refuse_other_kinds(path)
    classes = _classes(shapes, config.classifier, 0 if head is not None else config.num_classes)
    overlay = {"file": str(path), "custom_load": False, "num_classes": classes}
    try:
        network: nn.Module = timm.create_model(
            architecture,
            pretrained=True,
            pretrained_cfg_overlay=overlay,
            num_classes=classes,
            **_size(side),
        )
    except _MISFITS as error:
        raise _misfit(architecture, path.name, shapes, error) from error
    if side:
        tell_size(network, side)
    return network if head is None else with_head(network, head)


def _size(side: int) -> dict[str, Any]:
    return {"img_size": side} if side else {}


def _classes(shapes: Shapes, classifier: str | tuple[str, ...] | None, default: int) -> int:
    """Return how many classes the head in the file has; ``default`` where it cannot be told."""
    first = classifier[0] if isinstance(classifier, tuple) else classifier
    return next(iter(shapes.get(f"{first}.weight", ())), default)


def _misfit(architecture: str, where: str, shapes: Shapes, error: Exception) -> Exception:
    """Return why the entries of a file do not go into an architecture, in one sentence."""
    import timm

    with torch.device("meta"):
        network = timm.create_model(architecture)
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    common = wanted.keys() & shapes.keys()
    if len(common) < 0.9 * len(wanted):
        return WeightsUnavailableError(
            f"{where} does not hold a {architecture}: of its {len(wanted)} weight entries "
            f"{len(common)} are there. Was another architecture meant?"
        )
    in_head = _head_entries(network)
    for name in sorted(common - in_head):
        if wanted[name] != shapes[name]:
            return WeightsUnavailableError(
                f"{where} has {name} in the shape {shapes[name]}, and {architecture} needs "
                f"{wanted[name]}."
            )
    missing = sorted(wanted.keys() - shapes.keys())
    if missing and missing[0] in in_head:
        return HeadError(
            f"{where} holds no head ({missing[0]} is missing). Give the head's file after a second "
            "@, or weights that hold one."
        )
    lines = str(error).strip().splitlines()
    reason = " ".join(line.strip() for line in lines[:2])[:200].rstrip(".")
    return WeightsUnavailableError(f"{where} does not fit {architecture}: {reason}.")


def _head_entries(network: nn.Module) -> set[str]:
    """Return the names under which the state of ``network`` holds its head."""
    found = cast(Any, network).pretrained_cfg["classifier"] or ()
    heads = (found,) if isinstance(found, str) else tuple(found)
    return {f"{head}.{part}" for head in heads for part in ("weight", "bias")}
