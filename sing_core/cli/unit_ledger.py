"""The command ``ledger``: who wrote what is hidden, of a photo or of a set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sing_core.cli.app import Json, Ref, app, name_problems, show, tell, there
from sing_core.cli.units import (
    REFERENCE,
    Asking,
    Own,
    Wish,
    asked_variant,
    opened,
    photo_ledger,
    told,
)
from sing_core.cli.variants import Centred, Classes, Threshold
from sing_core.settings import Settings

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.units.inside import Inside
    from sing_core.units.recorded import Recorded
    from sing_core.units.set_ledger import SetLedger

Photo = Annotated[Path | None, typer.Argument(help="A JPEG, PNG or WebP file.", callback=there)]
SetOf = Annotated[
    Path | None, typer.Option("--images", help="Class folders, Parquet, zip or tar: a set instead.")
]
OfClass = Annotated[str, typer.Option("--class", help="With --images, one class of them.")]
_SHOWN = 12
# A table for people is as wide as a screen.
_MORE = ("linear_share_deg", "null_norm", "principal_norm")


@app.command()
def ledger(
    image: Photo = None,
    images: SetOf = None,
    class_: OfClass = "",
    reference: Ref = REFERENCE,
    model: Own = "",
    prompt: Wish = "",
    classes: Classes = "",
    centred: Centred = False,
    threshold: Threshold = 0.0,
    top: Annotated[
        int | None, typer.Option(min=1, help="How many units; else 12, all of them in --json.")
    ] = None,
    json_: Json = False,
) -> None:
    """Print who wrote what is hidden, the largest share first, and what leaving it out would do.

    `null_fraction` is how much of a unit is hidden; AS and IS are those of the feature without the
    unit's hidden part, at the same logits; `linear_share_deg` is the first order of AS. With
    --images shares are means over a set, or one class of it, `low` to `high` their intervals;
    `random_share` is that of random subspaces as large, `beyond` what is beyond it.
    """
    asked = (classes, centred, threshold)
    top = top or (None if json_ else _SHOWN)
    if image is not None and images is None and not class_:
        found = photo_ledger(image, reference, model, prompt, asked)
        rows = [row for row in found.as_rows() if row["null_share"] is not None]
        rows.sort(key=lambda row: -row["null_share"])
        show([row if json_ else _narrow(row) for row in rows[:top]], json_)
        return tell(found.sentence)
    if images is None or image is not None or prompt:
        raise typer.TyperException("Give a photo, or --images and with it --class, no --prompt.")
    of_set = _of_set(images, class_, (reference, model), asked, quiet=json_)
    show(of_set.as_rows()[:top], json_)
    return tell(of_set.sentence)


def _narrow(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _MORE}


def _of_set(
    images: Path, class_name: str, network: tuple[str, str], asked: Asking, *, quiet: bool
) -> "SetLedger":
    """Return the ledger of a set, or of a class of it; ``network`` is reference and model."""
    from sing_core.units.set_ledger import asked_wnid, mean_output, part_of_recorded, set_ledger

    asked_wnid(class_name)  # a wrong name is refused before images are looked at
    bench, inside = opened(Settings(), *network)
    variant = asked_variant(inside, asked)
    recorded = _recorded(bench, inside, images, quiet=quiet)
    sums, rows, where = part_of_recorded(recorded, class_name)
    linear = told(inside, inside.variant_for(mean_output(inside, sums), variant))
    return set_ledger(inside, sums, rows, linear, where)


def _recorded(bench: "Workbench", inside: "Inside", images: Path, *, quiet: bool) -> "Recorded":
    """Show a set to a network, with a bar unless ``quiet``; name the images that are unusable."""
    from rich.console import Console

    from sing_core.cli.sets import progress_bar
    from sing_core.units.recorded import record

    with progress_bar(Console(stderr=True), quiet=quiet) as report:
        found = record(bench, inside, images, report)
    name_problems(found.problems)
    return found
