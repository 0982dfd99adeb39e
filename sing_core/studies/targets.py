"""Where a wanted image score lies on a sweep, and which step is shown."""

from torch import Tensor

from sing_core.maths.equivalents import Equivalents, NullLine
from sing_core.maths.steering import EpsilonForImageScore
from sing_core.studies.question import Mode
from sing_core.studies.reports import Sweep, Target


def target(
    line: NullLine, walk: Equivalents, image: Tensor, wanted: EpsilonForImageScore | None
) -> Target | None:
    """Return where the wanted score lies among the walk's image scores ``(k,)``, degrees."""
    if wanted is None:
        return None
    name, end = f"IS = {wanted.wanted_deg:g}°", float(walk.epsilon[-1])
    if wanted.epsilon is not None and wanted.epsilon <= end * (1 + 1e-12):
        index = int((walk.epsilon - wanted.epsilon).abs().argmin())
        sentence = f"{name} is reached at ε = {wanted.epsilon:.3g}."
        return Target(wanted.wanted_deg, True, index, sentence)
    if wanted.epsilon is None:
        sentence = (
            f"{name} is not reachable: however far the step goes, "
            f"IS stays below {wanted.supremum_deg:.1f}°."
        )
    elif line.removal is not None:
        sentence = f"{name} lies beyond null removal, which ends at ε = {end:.3g}."
    else:
        sentence = (
            f"{name} would need a step of ε = {wanted.epsilon:.3g}, at which float32 rounding "
            "moves the logits by more than a hundred-thousandth of the largest; the largest step "
            f"shown is ε = {end:.3g} (IS = {float(image[-1]):.1f}°)."
        )
    return Target(wanted.wanted_deg, False, None, sentence)


def chosen(sweep: Sweep, epsilon: float | None, mode: Mode) -> int:
    """Return the position of the step to show: the asked one, the wanted score's, or the end."""
    if epsilon is not None:
        return sweep.index_of(epsilon)
    if mode == "remove" or sweep.target is None or sweep.target.index is None:
        return len(sweep.epsilon) - 1
    return sweep.target.index
