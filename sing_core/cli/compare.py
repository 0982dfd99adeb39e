"""The command ``compare``: classifiers side by side over the images of a prepared set."""

from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import Json, Models, Ref, Row, Set, app, lead, open_bench, show, tell
from sing_core.cli.scored import (
    Deciding,
    Dimension,
    ImageScore,
    Stratum,
    deciding_under,
    opened_all,
)
from sing_core.cli.variants import Centred
from sing_core.errors import ImageSetError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sing_core.leakage.scored_sets import ScoredSet
    from sing_core.models.workbench import Workbench

Source = Annotated[
    str, typer.Option(help="With --prompt: steer the images of this class alone; label or wnid.")
]
Across = Annotated[
    bool, typer.Option("--across-references", help="Print the order by |AS| in every reference.")
]


@app.command()
def compare(
    model: Models = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    paired: Annotated[bool, typer.Option(help="Print differences on the same images.")] = False,
    prompt: Annotated[str, typer.Option(help="Steer the set towards this instead.")] = "",
    source: Source = "",
    image_score: ImageScore = 40.0,
    classes: Deciding = "",
    centred: Centred = False,
    dimension: Dimension = None,
    stratum: Stratum = "all",
    across: Across = False,
    json_: Json = False,
) -> None:
    """Print the models side by side, beside their null spaces' size and three controls.

    The verdict is `rank_among_draws`, the place among `control_draws` random subspaces that remove
    as much, and `above_energy`, whose interval holds the spread of these draws.
    `feasible_image_score_deg` is IS of the nearest features that the networks can produce. With
    --classes the same classes decide for every model, and only their images count. Rows of several
    kinds of images pooled say so, and a pair whose verdict differs between them has none.

    With --prompt every image goes to --image-score by a step of its own, and all by one (`fixed_`).
    """
    bench = open_bench(Settings())
    text = _prompt(bench, prompt, source)

    def kinds(space: str) -> "list[tuple[ScoredSet, ...]]":
        opened = opened_all(bench, model, set_, space)
        return _kinds(opened, stratum, classes, centred, dimension)

    if across:
        _print_orders(bench, reference, lambda space: kinds(space)[-1], json_)
    elif text:
        show(_steered(kinds(reference), text, image_score, source), json_)
    else:
        _print_compared(kinds(reference), paired=paired, json_=json_)


def _prompt(bench: "Workbench", prompt: str, source: str) -> str:
    from sing_core.models.prompts import clean_prompt

    if source and not prompt:
        raise typer.TyperException("--source says whose images --prompt steers: give both.")
    return clean_prompt(prompt, max_chars=bench.settings.max_prompt_chars) if prompt else ""


def _kinds(
    opened: "Sequence[ScoredSet]", stratum: str, classes: str, centred: bool, dimension: int | None
) -> "list[tuple[ScoredSet, ...]]":
    """Return the sets kind by kind of images, each with what decides in it."""
    from sing_core.leakage.strata import split

    _ = [split(scored, stratum) for scored in opened]  # refused before anything is computed
    whole = deciding_under(opened, classes, centred, dimension)
    return list(zip(*(split(scored, stratum) for scored in whole), strict=True))


def _steered(
    kinds: "Sequence[Sequence[ScoredSet]]", text: str, image_score: float, source: str
) -> list[Row]:
    from sing_core.leakage.classes import find_class
    from sing_core.leakage.steered import steered_row

    def row(scored: "ScoredSet") -> Row:
        own = find_class(scored, source) if source else None
        return steered_row(scored, text, image_score, own).as_row()

    return [row(scored) for kind in kinds for scored in kind]


def _print_compared(kinds: "Sequence[Sequence[ScoredSet]]", *, paired: bool, json_: bool) -> None:
    from sing_core.leakage.comparison import model_row
    from sing_core.leakage.differences import pair_rows

    if not json_:
        _lead(kinds[-1])
    if paired:
        show([row.as_row() for kind in kinds for row in pair_rows(kind)], json_)
    else:
        show([model_row(scored).as_row() for kind in kinds for scored in kind], json_)


def _lead(sets: "Sequence[ScoredSet]") -> None:
    """Print which classifier leaks most; why not, where their images cannot be compared."""
    from sing_core.leakage.compare_answer import answer
    from sing_core.leakage.comparison import model_row
    from sing_core.leakage.differences import pair_rows

    try:
        pairs = pair_rows(sets)
    except ImageSetError as error:
        tell(str(error))
        return
    lead(answer([model_row(one) for one in sets], pairs, {one.model: one.model for one in sets}))


def _print_orders(
    bench: "Workbench", first: str, opened: "Callable[[str], Sequence[ScoredSet]]", json_: bool
) -> None:
    from sing_core.leakage.orders import orders, sentence
    from sing_core.models.registry import spaces_from

    found = orders(spaces_from(first, bench.settings), opened)
    show([row for order in found for row in order.as_rows()], json_)
    tell(sentence(found))
