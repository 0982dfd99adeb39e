"""Does the null part warn of what was done to a photograph? Planted nuisances as alarms.

A photograph with a nuisance in full dose is told from photographs without any. Both hold the same
ones, so whatever else differs between two sets does not.
"""

from collections.abc import Sequence

import torch

from sing_core.errors import ImageSetError
from sing_core.leakage.alarm_rows import SCORES, AlarmRow, between_rows
from sing_core.leakage.alarm_scores import Alarmed
from sing_core.leakage.planting import FULL, NUISANCES, Planted
from sing_core.maths.detection import Sample
from sing_core.maths.unseen import Unseen
from sing_core.models.workbench import Workbench


def check_nuisance(name: str) -> None:
    """Check, before anything is planted, that there is such a nuisance.

    Raises:
        ImageSetError: there is none of that name.
    """
    names = [one.name for one in NUISANCES]
    if name not in names:
        raise ImageSetError(
            f"Nothing that is planted is called “{name[:80]}”. There are: {', '.join(names)}."
        )


def planted_alarms(
    bench: Workbench, planted: Sequence[Planted], nuisance: str, model: str, reference: str
) -> tuple[AlarmRow, ...]:
    """Return how well each score tells photographs with a nuisance in full dose from those without.

    A photograph that it does not change takes no part. Those of one class count as one.

    Raises:
        ImageSetError: there is no such nuisance, or it changes no photograph.
        SingError: head, translator or texts cannot be had.
    """
    check_nuisance(nuisance)
    step = planted[0].steps.index((nuisance, FULL)) if planted else 0
    changed = [one for one in planted if bool(one.changed[step])]
    if not changed:
        raise ImageSetError(f"“{nuisance}” changes none of these photographs.")
    linear = bench.classifier(model).linear
    unseen = Unseen.of(bench.translator(model, reference), [one.digest for one in changed])
    alarmed = Alarmed.of(bench, model, reference, linear)
    kin = [one.kin or one.digest for one in changed]

    def samples(features: Sequence[torch.Tensor]) -> dict[str, Sample]:
        found = alarmed.scores(torch.stack(list(features)), unseen)
        return {
            name: Sample.of(sign * found[name].double().numpy(), kin)
            for name, sign in SCORES.items()
        }

    return between_rows(
        samples([one.features for one in changed]), samples([one.moved[step] for one in changed])
    )


def looked_for(nuisance: str) -> str:
    """Return what is looked for, in words."""
    return f"photographs planted with “{nuisance}”"
