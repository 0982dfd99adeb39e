"""What became of planted nuisances, in sentences with magnitudes: found, named, and how firmly."""

from collections.abc import Callable, Sequence

from sing_core.leakage.nuisances import FOUND, NOT_FOUND, UNDECIDED, NuisanceRow
from sing_core.leakage.planting import NUISANCES

_MANY = 30  # photographs; fewer have wide intervals
_CONTROLS = {one.name for one in NUISANCES if one.control}


def sentence(rows: Sequence[NuisanceRow]) -> str:
    """Say how many of what was planted are found, with magnitudes."""
    named = [row for row in rows if row.verdict and row.nuisance not in _CONTROLS]
    found = [row for row in named if row.verdict == FOUND]
    whole = "1 planted nuisance" if len(named) == 1 else f"{len(named)} planted nuisances"
    if not found:
        return f"None of {whole} is found by AS of the null movement alone."
    is_ = "is" if len(found) == 1 else "are"
    return f"{len(found)} of {whole} {is_} found: {_listed(found, _of_whole)}."


def others(rows: Sequence[NuisanceRow]) -> str:
    """Say what became of those that are not found, and of the control, and where that is decided.

    Degrees are the contrast of the null movement, and of the whole one.
    """
    full = [row for row in rows if row.verdict]
    named = [row for row in full if row.nuisance not in _CONTROLS]
    parts = [
        f"{start}: {_listed(kept, _named)}."
        for start, verdict in (("Shown not to be", NOT_FOUND), ("Not decided", UNDECIDED))
        if (kept := [row for row in named if row.verdict == verdict])
    ]
    parts += [f"The control, {row.nuisance}: {row.verdict}." for row in full if row not in named]
    parts.append(
        "Verdicts are those of tests in full dose, corrected for all nuisances (Holm); an interval "
        "in the table is of its row alone."
    )
    return " ".join(parts)


def meaning(rows: Sequence[NuisanceRow], usual: float | None) -> str:
    """Say what it means, and what it does not.

    ``usual`` is the null share of the difference of two photographs, see ``share_between``.
    """
    full = [row for row in rows if row.verdict]
    shares = sorted(row.null_share for row in full if row.null_share is not None)
    between = "" if usual is None else f", and of two photographs’ difference {100 * usual:.0f} %"
    moved = max(row.logit_change for row in full)
    lost = [row.nuisance for row in full if row.whole.low is None or row.whole.low <= 0]
    unseen = (
        f" Not even the whole movement is shown to have the name of {_and(lost)}." if lost else ""
    )
    return (
        f"Of what the nuisances move, {100 * shares[0]:.0f} to {100 * shares[-1]:.0f} % lies in "
        f"the null space; of a random direction it would be "
        f"{100 * full[0].null_share_random:.0f} %{between}. {_has_name(full)}That the classifier "
        "overlooks what is planted does not follow: the same "
        f"nuisances move its logits by up to {100 * moved:.0f} % of the largest.{unseen}"
    )


def _has_name(full: Sequence[NuisanceRow]) -> str:
    """Say what is found where no logit sees it, and whether its own words rise most; "" of none."""
    found = [row for row in full if row.verdict == FOUND]
    if not found:
        return ""
    named = [row for row in found if row.rank == 1]
    said = "What is found lies where no logit sees it"
    if len(named) == len(found):
        return f"{said}, and has its name. "
    has = "not all of it has its name" if named else "it has not its name"
    above = [
        f"of {row.nuisance} the words of {row.rises_more} rise more"
        for row in found
        if row.rank > 1
    ]
    return f"{said}; {has}: {_and(above)}. "


def how_few(count: int) -> str:
    """Say in how many photographs was looked, and where they are few that these decide little."""
    said = f"It was looked at in {count:,} photograph{'' if count == 1 else 's'}"
    return f"{said}." if count >= _MANY else f"{said}: so few decide little."


def _listed(rows: Sequence[NuisanceRow], words: Callable[[NuisanceRow], str]) -> str:
    return _and([words(row) for row in rows])


def _and(said: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(said[:-1]), said[-1]) if part)


def _of_whole(row: NuisanceRow) -> str:
    null, whole = _both(row)
    return f"{row.nuisance} ({null} of the {whole} that the whole movement shows)"


def _named(row: NuisanceRow) -> str:
    return f"{row.nuisance} ({' of '.join(_both(row))})"


def _both(row: NuisanceRow) -> list[str]:
    return [f"{of.estimate:+.2f}°".replace("-", "−") for of in (row.contrast, row.whole)]
