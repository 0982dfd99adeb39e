"""Names in a checkpoint against those of a network: wrappers, heads, what other tools left.

Training saves a network inside others (``module.``, ``model.``, ``_orig_mod.``, an average of its
weights), its head inside a row of layers, and beside it counts of a profiler. All is judged from
the file's header, names and shapes, before anything is built.
"""

import math
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sing_core.errors import HeadError, WeightsUnavailableError
from sing_core.files.weight_files import Shapes

HEAD_NAMES = ("classifier", "head", "fc", "linear", "last_linear", "linear_head")
_WHOLE = 0.9  # of a network's entries: less, and the names are not its own
_COUNTS = ("total_ops", "total_params")  # what profilers leave in every layer
_OPTIONAL = "num_batches_tracked"  # older files have none; nothing is computed from it
_NAMED = 4
_AVERAGED = re.compile(r"(?:^|[._])ema(?:[._]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a network needs of a file.

    Attributes:
        architecture: its name, for sentences.
        shapes: of its state, entry by entry.
        heads: names of its classifiers' layers; () where the head comes from elsewhere.
        parts: names of everything directly inside it.
        floats: entries that are computed with as floating-point numbers.
    """

    architecture: str
    shapes: Shapes
    heads: tuple[str, ...]
    parts: frozenset[str]
    floats: frozenset[str]

    def is_head(self, name: str) -> bool:
        """Return whether an entry belongs to a head."""
        return name.startswith(tuple(f"{head}." for head in self.heads))


@dataclass(frozen=True, slots=True)
class Match:
    """Where in a file the entries of a network lie.

    Attributes:
        sources: entry of the network -> entry of the file; what is optional may lack.
        classes: rows of the head; 0 without one.
        notes: whole sentences about what was taken from another place, or left.
    """

    sources: dict[str, str]
    classes: int
    notes: tuple[str, ...]


def match_names(where: str, wanted: Wanted, shapes: Shapes) -> Match | None:
    """Return where the entries lie; None where the names are not the network's own.

    Raises:
        WeightsUnavailableError: it holds several networks, a part of one, or more than this one.
        HeadError: there is no head of a possible shape, several, or one of several layers.
    """
    found = _prefix(where, wanted, shapes)
    if found is None:
        return None
    prefix, twins, notes = found
    trunk = [name for name in wanted.shapes if not wanted.is_head(name)]
    sources = {name: prefix + name for name in trunk if prefix + name in shapes}
    lacking = [name for name in trunk if name not in sources and not name.endswith(_OPTIONAL)]
    if lacking:
        raise WeightsUnavailableError(
            f"{where} lacks {_some(lacking)} of {wanted.architecture}. Was another architecture "
            "meant?"
        )
    twin = {other + name for other in twins for name in wanted.shapes}
    others = [name for name in shapes if name not in {*sources.values(), *twin}]
    classes = 0
    if wanted.heads:
        head = _head(where, wanted, prefix, {name: shapes[name] for name in others})
        sources |= head.sources
        classes, notes = head.classes, (*notes, *head.notes)
    rest = set(others) - set(sources.values())
    return Match(sources, classes, (*notes, *_superfluous(where, wanted, prefix, rest)))


def _prefix(
    where: str, wanted: Wanted, shapes: Shapes
) -> tuple[str, list[str], tuple[str, ...]] | None:
    """Return the prefix of all names, those of networks not taken, a sentence on the choice."""
    trunk = {name for name in wanted.shapes if not wanted.is_head(name)}
    votes: Counter[str] = Counter()
    depths = {name.count(".") for name in trunk}
    for name in shapes:
        for depth in depths:
            own = ".".join(name.split(".")[-depth - 1 :])
            if own in trunk and name.count(".") >= depth:
                votes[name.removesuffix(own)] += 1
    needed = [name for name in trunk if not name.endswith(_OPTIONAL)]
    whole = sorted(prefix for prefix, count in votes.items() if count >= _WHOLE * len(needed))
    if not whole:
        return None
    if len(whole) == 1:
        return whole[0], [], ()
    averaged = [prefix for prefix in whole if _AVERAGED.search(prefix)]
    named = ", ".join(f"“{prefix}”" if prefix else "no prefix" for prefix in whole)
    if len(averaged) != 1:
        raise WeightsUnavailableError(
            f"{where} holds {len(whole)} whole networks ({named}). Save the one that is meant "
            "alone."
        )
    note = (
        f"{where} holds {len(whole)} whole networks ({named}); the averaged weights under "
        f"“{averaged[0]}” were taken."
    )
    return averaged[0], [prefix for prefix in whole if prefix != averaged[0]], (note,)


def _head(where: str, wanted: Wanted, prefix: str, others: Shapes) -> Match:
    """Return where the weight and the bias of the head lie among ``others``."""
    if len(wanted.heads) > 1:
        raise HeadError(
            f"{wanted.architecture} has {len(wanted.heads)} heads ({' and '.join(wanted.heads)}) "
            "and averages their logits; one linear head is needed."
        )
    name = wanted.heads[0]
    width = wanted.shapes[f"{name}.weight"][1:]
    place, notes = prefix + name, []
    if f"{place}.weight" not in others:
        place = _displaced(where, place, width, others)
        notes.append(f"{where} has no {prefix}{name}; the head was taken from {place}.")
    shape = others[f"{place}.weight"]
    if (
        len(shape) not in (2, len(width) + 1)
        or min(shape) < 1
        or math.prod(shape[1:]) != math.prod(width)
    ):
        raise HeadError(
            f"{where} has {place}.weight in the shape {shape}, and {wanted.architecture} needs "
            f"(classes, {', '.join(map(str, width))}) with at least one class."
        )
    sources = {f"{name}.weight": f"{place}.weight"}
    bias = others.get(f"{place}.bias")
    if bias is None:
        notes.append(f"The head {place} has no bias; zeros stand for it.")
    elif bias != shape[:1]:
        raise HeadError(
            f"{where} has {place}.weight for {shape[0]} classes and {place}.bias in the shape "
            f"{bias}."
        )
    else:
        sources[f"{name}.bias"] = f"{place}.bias"
    return Match(sources, shape[0], tuple(notes))


def _displaced(where: str, place: str, width: tuple[int, ...], others: Shapes) -> str:
    """Return the one layer that can be the head where it does not bear the network's name."""
    inside = [name for name in others if name.startswith(f"{place}.")]
    pool = inside or [name for name in others if _sounds_like_head(name)]
    matrices = [name for name in pool if len(others[name]) >= 2 and name.endswith(".weight")]
    fitting = [name for name in matrices if math.prod(others[name][1:]) == math.prod(width)]
    layers = {name.rpartition(".")[0] for name in inside if name.split(".")[-1] not in _COUNTS}
    if len(layers) > 1 or len(matrices) > 1:
        listed = sorted(layers) or [name.removesuffix(".weight") for name in matrices]
        raise HeadError(
            f"{where} has a head of several layers, or several heads ({_some(listed)}); one linear "
            "layer is needed."
        )
    if len(fitting) != 1:
        raise HeadError(
            f"{where} holds no head ({place}.weight is missing). Give the head's file after a "
            "second @, or weights that hold one."
        )
    return fitting[0].removesuffix(".weight")


def _sounds_like_head(name: str) -> bool:
    parts = [part for part in name.split(".")[:-1] if not part.isdecimal()]
    return bool(parts) and parts[-1] in HEAD_NAMES


def _superfluous(where: str, wanted: Wanted, prefix: str, rest: Collection[str]) -> tuple[str, ...]:
    """Return a sentence that names what nothing of the network reads.

    Raises:
        WeightsUnavailableError: some belong to a larger network, of which this one is a part.
    """
    inside = [name.removeprefix(prefix) for name in rest if name.startswith(prefix)]
    larger = [
        name
        for name in inside
        if name.split(".")[0] in wanted.parts and name.split(".")[-1] not in _COUNTS
    ]
    if larger:
        raise WeightsUnavailableError(
            f"{where} holds more than a {wanted.architecture}: {_some(sorted(larger))}. Was "
            "another architecture meant?"
        )
    if not rest:
        return ()
    return (f"Superfluous in {where}, and left out: {_some(sorted(rest))}.",)


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} and {len(names) - _NAMED} more"
