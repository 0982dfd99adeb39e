"""Classes' answer in words: which classes leak their names, and whether two classifiers agree."""

from collections.abc import Sequence
from statistics import median

from sing_core.leakage.agreement import AgreementRow
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.name_control import NameControl
from sing_core.leakage.phrases import (
    FEW,
    FEW_SCORES,
    be,
    count,
    degrees,
    in_words,
    interval,
    listed,
    number,
    percent,
    size,
)
from sing_core.maths.split_halves import FEWEST_IMAGES
from sing_core.maths.statistics import Interval, clustered_mean

_ON = {
    "attribute_score_deg": "which classes turn towards their names",
    "abs_attribute_score_deg": "which move far",
}
_THIRDS = ("weakly", "in part", "largely")  # of what there can be at most


def summary(rows: Sequence[ClassRow], control: NameControl | None = None) -> str:
    """Return the result in words; what the tests do not decide is said to be not decided.

    ``control``: what random parts do to the same images; None where nobody measured it.
    """
    tested = [row for row in rows if row.contrast_p_adjusted is not None]
    found = [row for row in tested if row.verdict != "not decided"]
    towards = sum(row.verdict == "towards" for row in found)
    alone = len(rows) - len(tested)
    single = f" {alone:,} classes have too few images for a test: **not decided**." if alone else ""
    if not tested:
        return f"No class has the two images that a test needs: **not decided**.{single}"
    few = FEW_SCORES if min(row.n for row in tested) < FEW else ""
    open_ = len(tested) - len(found)
    left = f"; {open_:,} {be(open_)} **not decided**" if open_ else ""
    first = f"**{count(len(found), 'class')}**" if found else "**None beyond chance**"
    return (
        f"{first}: of {count(len(tested), 'class')} that can be tested, null removal turns "
        f"**{towards:,}** towards their own name and **{len(found) - towards:,}** away from it "
        f"more than it does with the names of other classes (false discovery rate 5 %){left}."
        f"{_detectable(tested)}{_control(tested)}{single}{few}\n\n{_whole(rows)}"
        f"{_beside_random(control)}"
    )


def _detectable(tested: Sequence[ClassRow]) -> str:
    """Return how far a class would have to stand out to be the one that is decided."""
    sizes = [row.detectable for row in tested if row.detectable is not None]
    if not sizes:
        return ""
    return (
        f" To be decided by itself a class would have to stand out by about "
        f"{size(median(sizes))}° (the median of those tested)."
    )


def _control(tested: Sequence[ClassRow]) -> str:
    """Return how many would be decided by the names of others: the negative control."""
    shares = [row.foreign_decided for row in tested if row.foreign_decided is not None]
    if not shares:
        return ""
    often = number(100 * sum(shares) / len(shares), ".1f")
    return f" With the name of a random other class in place of the own, {often} % are decided."


def _whole(rows: Sequence[ClassRow]) -> str:
    """Return what all classes together say of their names, and each kind of images by itself."""
    said = _name_of_all(rows)
    kinds = sorted({row.stratum for row in rows if row.stratum})
    if len(kinds) < 2:
        return f"{said}."
    each = {kind: _contrast([row for row in rows if row.stratum == kind]) for kind in kinds}
    parts = [f"{in_words(kind)} {interval(found, signed=True)}" for kind, found in each.items()]
    return f"{said} (pooled; {listed(parts)})."


def _name_of_all(rows: Sequence[ClassRow]) -> str:
    mean = _contrast(rows)
    if not mean.decided:
        return (
            "Whether images are turned towards or away from their own names on the whole is "
            f"**not decided**: {interval(mean, signed=True)} beside the names of all classes"
        )
    way = "towards" if mean.estimate > 0 else "away from"
    return (
        f"On the whole, images are turned {way} the name of their own class, beside the names "
        f"of all classes: {interval(mean, signed=True)}, the mean over {mean.clusters:,} classes"
    )


def _beside_random(control: NameControl | None) -> str:
    """Return what random parts of the same length do to own names, and how the null part stands."""
    if control is None:
        return (
            " Whatever is taken away turns images from their own names, and no random part of the "
            "same length is held beside it here: by itself this says nothing of the null space."
        )
    random, share = control.random, control.share
    if share is None:
        return ""
    way = "towards" if random.estimate > 0 else "away from"
    ends = [degrees(end) for end in (random.low, random.high) if end is not None]
    spread = f" (95 % of such parts: {ends[0]} to {ends[1]})" if ends else ""
    if not control.beside.difference.decided:
        how = "from that the null part is **not told apart**"
    elif share < 0:
        how = "the null part does the **opposite**"
    else:
        how = f"the null part does **{'less' if share < 1 else 'more'}**, {percent(share)} of that"
    return (
        f" Whatever is taken away turns them: a random part of the same length {way} that name by "
        f"{degrees(random.estimate)}{spread}; {how}."
    )


def _contrast(rows: Sequence[ClassRow]) -> Interval:
    return clustered_mean([row.contrast_mean for row in rows], [row.index for row in rows])


def sentence(row: ClassRow) -> str:
    """Return one class in words."""
    if row.as_low is None or row.as_high is None:
        told = f"AS {degrees(row.as_mean, 2)} from one image"
        return f"{told}: whether it differs from 0 is **not decided**."
    low, high = degrees(row.as_low), degrees(row.as_high)
    way = "towards" if row.contrast_mean >= 0 else "away from"
    verdict = {
        "towards": "it is turned **towards** its own name",
        "away": "it is turned **away** from its own name",
        "not decided": "whether that is more than with any other name is **not decided**",
    }[row.verdict]
    return (
        f"Beside the names of all classes, null removal turns {count(row.n, 'image')} "
        f"{number(abs(row.contrast_mean), '.3f')}° {way} the own name: {verdict}. Not beside "
        f"others, and not what is tested: AS {degrees(row.as_mean)} (95 %: {low} to {high})."
    )


def agreement(found: Sequence[AgreementRow], titles: Sequence[str]) -> str:
    """Return what two classifiers agree on, measure by measure, each beside what it can be at most.

    ``titles``: the two models' names for a person.
    """
    one, other = titles
    of = (
        f"Over {count(found[0].classes, 'class')} with at least {FEWEST_IMAGES} images, one half "
        "of them seen by one classifier and the other half by the other"
    )
    told = "; ".join(
        f"mean {MEASURES[row.measure].words}: {_rho(row.rho)} "
        f"(within {one} {_rho(row.reliability_first)}, within {other} "
        f"{_rho(row.reliability_second)})"
        for row in found
    )
    return (
        f"**{one} and {other} {_agreed(found)}.** {of}, with Spearman’s ρ and its 95 % interval: "
        f"{told}. “Within” is between two halves of one classifier; “at most” is the geometric "
        "mean of both: beyond that no agreement can show."
    )


def _agreed(found: Sequence[AgreementRow]) -> str:
    """Return of each measure in turn how far the two agree, as the ends of one sentence."""
    return listed([f"{_much(row)} on {_ON[row.measure]} ({_of_ceiling(row)})" for row in found])


def _much(row: AgreementRow) -> str:
    """Return the verb: what the test decides, and by thirds of the ceiling how much it is."""
    if row.verdict == "not decided":
        return "are not shown to agree"
    how = "" if row.share is None else f" {_THIRDS[min(2, int(3 * row.share))]}"
    return f"{row.verdict}{how}"


def _of_ceiling(row: AgreementRow) -> str:
    value = f"ρ {number(row.rho.estimate, '+.2f')}"
    if row.ceiling is None:
        return f"{value}; one of them does not agree with itself either"
    return f"{value} of at most {number(row.ceiling, '.2f')}"


def _rho(found: Interval) -> str:
    value = f"ρ {number(found.estimate, '+.2f')}"
    if found.low is None or found.high is None:
        return value
    return f"{value} [{number(found.low, '+.2f')}, {number(found.high, '+.2f')}]"
