"""The commands ``probe``, ``real-pairs``, ``alarms``, ``nuisances``."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sing_core.cli.app import (
    AtMost,
    Json,
    Ref,
    Set,
    app,
    name_problems,
    open_bench,
    open_photo,
    show,
    tell,
    there,
)
from sing_core.cli.scored import OfSet, open_scored
from sing_core.errors import SingError
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sing_core.leakage.photographs import Photograph
    from sing_core.leakage.planting import Planted
    from sing_core.leakage.scored_sets import ScoredSet
    from sing_core.models.workbench import Workbench
    from sing_core.sets.chunks import Problem


OneKind = Annotated[str, typer.Option(help="Kind of images: its name, or `all` (pooled).")]


OfImages = Annotated[Path | None, typer.Option("--images", help="Folder, Parquet, zip or tar.")]


class Asked(StrEnum):
    """What a probe reads."""

    classes = "classes"
    groups = "groups"


@app.command()
def probe(
    model: OfSet,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    read: Annotated[Asked, typer.Option(help="What is read from the features.")] = Asked.classes,
    labels: Annotated[
        Path | None, typer.Option(help="CSV of “image name,label” to read instead.", callback=there)
    ] = None,
    stratum: OneKind = "all",
    json_: Json = False,
) -> None:
    """Print what a linear probe reads from the null part, random parts, what decides, and all.

    Every image is read by a probe that never saw it; of groups, by one that never saw its class.
    """
    from sing_core.leakage.probes import probe as ask

    scored = _one_kind(model, set_, reference, stratum)
    found = ask(scored, read.value, labels)
    show([row.as_row() for row in found.rows], json_)
    _tell(found.sentence, found.stratum)


@app.command()
def real_pairs(
    model: OfSet,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    neighbours: Annotated[
        int, typer.Option(min=1, max=100, help="How many images nearest in logits are looked at.")
    ] = 10,
    top: Annotated[int, typer.Option(min=1, help="How many pairs are printed.")] = 20,
    stratum: OneKind = "all",
    json_: Json = False,
) -> None:
    """Print pairs of images whose logits nearly agree and whose null parts are far apart."""
    from sing_core.leakage.real_pairs import real_pairs as ask

    scored = _one_kind(model, set_, reference, stratum)
    found = ask(scored, neighbours)
    labels = scored.bench.vocabulary(reference).labels
    show([row.as_row(labels) for row in found.rows[:top]], json_)
    _tell(f"{found.sentence} {found.meaning}", found.stratum)


@app.command()
def alarms(
    model: OfSet,
    set_: Set = "",
    reference: Ref = DEFAULT_REFERENCE,
    against: Annotated[
        str, typer.Option(help="A prepared set, or a kind of image of this one; else: errors.")
    ] = "",
    planted: Annotated[
        str, typer.Option(help="A nuisance, planted in photographs of --set, --images, or samples.")
    ] = "",
    images: OfImages = None,
    limit: AtMost = 100,
    stratum: OneKind = "all",
    json_: Json = False,
) -> None:
    """Print how well the null part tells wrong decisions, or other images, from usual ones.

    With --planted: photographs with a nuisance in full dose from the same ones without. AUROC with
    intervals over classes, of wrong decisions within classes; beside it what the logits say for
    nothing. `p_adjusted` is corrected for the scores of the null part, or of the logits;
    `over_logits` is the lead over the better one of the logits, corrected for the six pairs.
    """
    from sing_core.leakage.alarm_rows import sentence
    from sing_core.leakage.alarms import alarms as ask
    from sing_core.leakage.planted_alarms import check_nuisance, looked_for, planted_alarms

    if planted:
        if against:
            raise SingError("Give --against or --planted, one of the two.")
        check_nuisance(planted)
        source = _Source(None, images, set_, stratum, limit)
        bench, seen = _planted(model, reference, source, quiet=json_)
        found, what = planted_alarms(bench, seen, planted, model, reference), looked_for(planted)
    else:
        if images is not None:
            raise SingError("--images goes with --planted.")
        found = ask(_one_kind(model, set_, reference, stratum), against)
        what = against or "wrong decisions"
    show([row.as_row() for row in found], json_)
    _tell(sentence(found, what), found[0].stratum)


def _one_kind(model: str, set_: str, reference: str, stratum: str) -> "ScoredSet":
    """Return the scores of a set, of one kind of images or of all."""
    from sing_core.leakage.strata import within

    return within(open_scored(open_bench(Settings()), model, set_, reference), stratum)


def _tell(sentence: str, stratum: str) -> None:
    """Say what was found, and whether kinds of images are pooled in it."""
    from sing_core.leakage.strata import said_of

    tell(f"{sentence} {said_of(stratum)}".strip())


Files = Annotated[
    list[Path] | None,
    typer.Argument(help="JPEG, PNG or WebP files; else samples.", callback=there),
]


@app.command()
def nuisances(
    files: Files = None,
    model: OfSet = "lite0",
    images: OfImages = None,
    set_: Set = "",
    limit: AtMost = 100,
    stratum: OneKind = "all",
    reference: Ref = DEFAULT_REFERENCE,
    json_: Json = False,
) -> None:
    """Plant nuisances (grey, blur, tint ...) in photographs; print what of them is found.

    How much of what each moves lies in the null space, dose by dose, and whether AS of that part
    alone names it. --stratum takes one kind of the images of --set.
    """
    from sing_core.leakage import nuisance_words as said_by
    from sing_core.leakage import nuisances as found_by
    from sing_core.leakage.nuisance_lens import lens_of

    source = _Source(files, images, set_, stratum, limit)
    bench, planted = _planted(model, reference, source, quiet=json_)
    lens = lens_of(bench, planted, model, reference)
    rows = found_by.nuisance_rows(planted, lens)
    show([row.as_row() for row in rows], json_)
    meant = said_by.meaning(rows, found_by.share_between(planted, lens.linear))
    few = said_by.how_few(len(planted))
    tell(f"{said_by.sentence(rows)} {few} {said_by.others(rows)} {meant}")


@dataclass(frozen=True)
class _Source:
    """Whose photographs are planted in: files, a source, a prepared set, or else the samples."""

    files: list[Path] | None
    images: Path | None
    set_: str
    stratum: str
    limit: int

    def check(self) -> None:
        """Raise unless one of the three is given at most, and kinds are of a set."""
        from sing_core.leakage.strata import ALL

        if sum((bool(self.files), self.images is not None, bool(self.set_))) > 1:
            raise SingError("Give files, --images or --set: one of the three.")
        if self.stratum != ALL and not self.set_:
            raise SingError("--stratum goes with --set: only a prepared set has kinds of images.")


def _planted(
    model: str, reference: str, source: _Source, *, quiet: bool
) -> "tuple[Workbench, list[Planted]]":
    """Return the bench, and what the model makes of the photographs with every nuisance."""
    from sing_core.leakage.nuisance_lens import check_null_space
    from sing_core.leakage.planting import plant

    source.check()
    bench = open_bench(Settings())
    check_null_space(bench, model)
    chosen, backbone = _photographs(bench, model, reference, source), bench.pool.backbone(model)
    return bench, [plant(backbone, one) for one in _counted(chosen, quiet=quiet)]


def _photographs(
    bench: "Workbench", model: str, reference: str, source: _Source
) -> "Iterable[Photograph]":
    from sing_core.leakage import photographs

    if source.files:
        opened = (open_photo(path, bench.settings) for path in source.files)
        return (photographs.Photograph(one.digest, "", one.pixels) for one in opened)
    if source.images is not None:
        return _of_source(bench, source.images, source.limit)
    if source.set_:
        scored = _one_kind(model, source.set_, reference, source.stratum)
        return photographs.photographs_of(scored, source.limit)
    return photographs.sample_photographs()


def _of_source(bench: "Workbench", images: Path, limit: int) -> "Iterator[Photograph]":
    from sing_core.leakage.photographs import photographs_at

    problems: list[Problem] = []
    yield from photographs_at(images, limit, problems, max_pixels=bench.settings.max_pixels)
    name_problems(problems)


def _counted(photographs: "Iterable[Photograph]", *, quiet: bool) -> "Iterator[Photograph]":
    """Yield the photographs, and say on stderr how many there were so far unless ``quiet``."""
    from rich.console import Console
    from rich.progress import track

    yield from track(
        photographs, "Planting", console=Console(stderr=True), disable=quiet, transient=True
    )
