"""Which kinds of images take part, counted, where a set has several and pools them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sing_core.sets.chunks import SetFacts


def kinds_among(facts: SetFacts, names: Iterable[str]) -> dict[str, int]:
    """Return how many images of each kind are among ``names``, in alphabetical order.

    Empty where the set has names for no kind.
    """
    found = Counter(facts.stratum(name) for name in names) if facts.strata else Counter[str]()
    return {kind: found[kind] for kind in sorted(found)}


def counted_kinds(kinds: Mapping[str, int]) -> str:
    """Return ``800 full photographs and 3,200 64-pixel images``; "" unless there are several."""
    if len(kinds) < 2:
        return ""
    said = [
        f"{many:,} {kind or 'image'}{'' if many == 1 else 's'}"
        for kind, many in sorted(kinds.items(), key=lambda one: one[1])
    ]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def pooled(kinds: Mapping[str, int]) -> str:
    """Return the counted kinds and that they are pooled; "" unless there are several."""
    said = counted_kinds(kinds)
    return f"{said}, pooled" if said else ""
