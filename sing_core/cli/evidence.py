"""The commands ``probe``, ``real-pairs``, ``alarms``, ``multiverse``: what a sceptic asks."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sing_core.cli.app import Json, Model, Models, Ref, Set, app, open_bench, show, tell
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings


class Asked(StrEnum):
    """What a probe reads."""

    classes = "classes"
    groups = "groups"


@app.command()
def probe(
    model: Model,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    read: Annotated[Asked, typer.Option(help="What is read from the features.")] = Asked.classes,
    labels: Annotated[
        Path | None, typer.Option(help="CSV of “image name,label” to read instead.")
    ] = None,
    json_: Json = False,
) -> None:
    """Print what a linear probe reads from the null part, random parts, what decides, and all.

    Every image is read by a probe that never saw it; of groups, by one that never saw its class.
    """
    from sing_core.leakage.probes import probe as ask
    from sing_core.leakage.scored_sets import open_set

    scored = open_set(open_bench(Settings()), model, images=set_ or None, reference=reference)
    found = ask(scored, read.value, labels)
    show([row.as_row() for row in found.rows], json_)
    tell(found.sentence)


@app.command()
def real_pairs(
    model: Model,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    neighbours: Annotated[
        int, typer.Option(min=1, max=100, help="How many images nearest in logits are looked at.")
    ] = 10,
    top: Annotated[int, typer.Option(min=1, help="How many pairs are printed.")] = 20,
    json_: Json = False,
) -> None:
    """Print pairs of images whose logits nearly agree and whose null parts are far apart."""
    from sing_core.leakage.real_pairs import real_pairs as ask
    from sing_core.leakage.scored_sets import open_set

    scored = open_set(open_bench(Settings()), model, images=set_ or None, reference=reference)
    found = ask(scored, neighbours)
    labels = scored.bench.vocabulary(reference).labels
    show([row.as_row(labels) for row in found.rows[:top]], json_)
    tell(found.sentence)


@app.command()
def alarms(
    model: Model,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    against: Annotated[
        str, typer.Option(help="A prepared set, or a kind of image of this one; else: errors.")
    ] = "",
    json_: Json = False,
) -> None:
    """Print how well the null part tells wrong decisions, or other images, from the usual ones.

    AUROC with intervals over classes, of wrong decisions within classes; beside it what the logits
    say for nothing.
    """
    from sing_core.leakage.alarms import alarms as ask
    from sing_core.leakage.alarms import sentence
    from sing_core.leakage.scored_sets import open_set

    scored = open_set(open_bench(Settings()), model, images=set_ or None, reference=reference)
    found = ask(scored, against)
    show([row.as_row() for row in found], json_)
    tell(sentence(found, against or "wrong decisions"))


@app.command()
def multiverse(
    model: Models = None,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Print which claims about models, and about every two, survive other defensible choices.

    Varied together: kind of images, reading, reference, the translator's penalty, and its fits.
    """
    from sing_core.leakage.multiverse import multiverse as ask
    from sing_core.leakage.scored_sets import open_set

    bench = open_bench(Settings())
    names = model or ["lite0", "lite1"]
    sets = [open_set(bench, name, images=set_ or None, reference=reference) for name in names]
    found = ask(sets)
    rows = [claim.as_row() for claim in found]
    show(rows if json_ else [_short(row) for row in rows], json_)
    for claim in found:
        tell(claim.sentence)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without the names of all choices: what is counted is enough to read."""
    return {**row, "never": ", ".join(row["never"]), "fails": len(row["fails"])}
