"""The options that ask for another null space of a head: ``--classes --centred --threshold``."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sing_core.maths.head_variants import HeadVariant
    from sing_core.models.workbench import Workbench

Classes = Annotated[str, typer.Option(help="Classes that decide: “0-15, 207, jellyfish”.")]
Centred = Annotated[bool, typer.Option(help="A common shift of all logits is no change.")]
Threshold = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Share of the largest singular value up to which others are zero."
    ),
]


def chosen_variant(
    bench: "Workbench", model: str, classes: str, centred: bool, threshold: float
) -> "HeadVariant":
    """Return which null space of the head the options ask for."""
    from sing_core.maths.head_variants import HeadVariant, parse_classes
    from sing_core.studies.heads import class_names

    chosen = parse_classes(classes, class_names(bench, model)) if classes else ()
    return HeadVariant(chosen, centred, threshold)
