"""The options that ask for another null space of a head: ``--classes --centred --threshold``."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sing_core.head_variants import HeadVariant
    from sing_core.workbench import Workbench

Classes = Annotated[str, typer.Option(help="Classes that decide: “0-15, 207, jellyfish”.")]
Centred = Annotated[bool, typer.Option(help="A common shift of all logits is no change.")]
Threshold = Annotated[
    float, typer.Option(help="Share of the largest singular value up to which others are zero.")
]


def chosen_variant(
    bench: "Workbench", model: str, classes: str, centred: bool, threshold: float
) -> "HeadVariant":
    """Return which null space of the head the options ask for."""
    from sing_core.head_reports import class_names
    from sing_core.head_variants import HeadVariant, parse_classes

    chosen = parse_classes(classes, class_names(bench, model)) if classes else ()
    return HeadVariant(chosen, centred, threshold)
