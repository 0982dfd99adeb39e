"""Scores of a prepared set where the same classes decide for every classifier.

A head that reads every direction of its features has no null space, and two heads of different
widths have null spaces of different sizes. Where some classes decide alone, each head has one: 200
classes leave 1,080 of 1,280 directions, and 184 of 384. The scores come from the stored features,
by the translator that did not see the image; the random controls are as large as the variant's null
space. They are kept in the cache folder, apart from the set. A null space can also be cut to fewer
dimensions, so that one head has as many as another.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from filelock import FileLock

from sing_core.errors import HeadError, ImageSetError, StaleArtefactError
from sing_core.files.digests import content_key
from sing_core.files.store import evict_oldest
from sing_core.leakage.score_files import ScoreBatch, facts_of, write_scores
from sing_core.leakage.scored_sets import CUTS, ScoredSet
from sing_core.leakage.set_scores import Scorer, score_facts
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, check_variant, parse_classes
from sing_core.maths.null_cut import cut_controls, largest_null_directions
from sing_core.models.head_classes import has_imagenet
from sing_core.models.imagenet import imagenet_places
from sing_core.sets.chunks import Chunk

SEVERAL = "several"  # in place of a list of classes: those with several images in the set
_FOLDER = "variant-scores"
_MOST_FILES, _MOST_BYTES = 256, 256 * 2**20

Report = Callable[[int, int], object]


def deciding_classes(scored: ScoredSet, text: str) -> tuple[int, ...]:
    """Return the classes that ``text`` names: “0-199, jellyfish”, or ``several``.

    Raises:
        HeadError: a part of it names no class.
        ImageSetError: ``several`` was asked of a set without a class of two images.
        SingError: the scores or the names of the classes cannot be read.
    """
    if text.strip().casefold() != SEVERAL:
        vocabulary = scored.bench.vocabulary(scored.reference)
        return parse_classes(text, vocabulary.labels[: vocabulary.n_classes])
    found = repeated_classes(scored)
    if not found:
        raise ImageSetError(
            f"No class of the set {scored.folder.facts.name} has several images: name the classes "
            "that shall decide."
        )
    return found


def repeated_classes(scored: ScoredSet) -> tuple[int, ...]:
    """Return the classes with two distinct images or more, ascending.

    Raises:
        SingError: the scores cannot be read.
    """
    found = scored.ask("SELECT label FROM images GROUP BY label HAVING count(*) > 1 ORDER BY label")
    return tuple(found["label"].to_pylist())


def under(
    scored: ScoredSet,
    variant: HeadVariant,
    report: Report = lambda done, total: None,
    *,
    dimension: int | None = None,
) -> ScoredSet:
    """Return the scores of the set where ``variant`` decides; computed once, then kept.

    ``scored`` are those of the whole head. Only images whose own class is among the deciding ones
    are scored; ``report`` is told how many of how many, if there is anything to compute. A null
    space larger than ``dimension`` is cut to the directions that hold most of these images.

    Raises:
        HeadError: the head has no such variant, or its logits are not those of ImageNet-1k.
        ImageSetError: no image is left, or the scores cannot be kept.
        SingError: features, translator or texts cannot be read.
    """
    wanted = replace(scored, variant=_checked(scored, variant))
    if dimension is not None and dimension < wanted.nullity:
        wanted = replace(wanted, dimension=max(1, dimension))
    if (wanted.variant, wanted.dimension) == (WHOLE_HEAD, None):
        return scored
    facts = _facts(wanted)
    root = scored.bench.settings.cache_dir / _FOLDER
    key = content_key(*(part for fact in facts.items() for part in fact))
    wanted = replace(wanted, path=root / f"{key}.parquet")
    if not _holds(wanted, facts):
        rows = _rows(scored, wanted.variant)
        try:
            root.mkdir(parents=True, exist_ok=True)
            with FileLock(root / ".lock"):  # one at a time: each takes all cores
                if not _holds(wanted, facts):
                    _write(wanted, facts, rows, report)
        except OSError as error:
            raise ImageSetError(
                f"The scores of the chosen classes cannot be kept: {error.strerror or error}."
            ) from error
    return wanted


def common_dimension(sets: Sequence[ScoredSet], variant: HeadVariant) -> int | None:
    """Return the dimension of the smallest null space under ``variant``, of those that are there.

    None where no head has one.

    Raises:
        HeadError: see ``under``.
        SingError: a head cannot be loaded.
    """
    found = [replace(scored, variant=_checked(scored, variant)).nullity for scored in sets]
    return min((nullity for nullity in found if nullity), default=None)


def check_dimension(
    sets: Sequence[ScoredSet], variants: Sequence[HeadVariant], dimension: int
) -> None:
    """Refuse a ``dimension`` that none of the null spaces under ``variants`` has.

    Raises:
        HeadError: there is no null space, or the largest is smaller; also see ``under``.
        SingError: a head cannot be loaded.
    """
    found = {
        scored.model: replace(scored, variant=_checked(scored, variant)).nullity
        for scored, variant in zip(sets, variants, strict=True)
    }
    model, largest = max(found.items(), key=lambda item: item[1])
    if not largest:
        raise HeadError(
            f"There is no null space to cut to {dimension:,} dimensions: the head of "
            f"{' and of '.join(found)} hides nothing. Let only some classes decide."
        )
    if dimension > largest:
        raise HeadError(
            f"No null space here has {dimension:,} dimensions: the largest, that of {model}, has "
            f"{largest:,}. Give a number from 1 to {largest:,}."
        )


def _checked(scored: ScoredSet, variant: HeadVariant) -> HeadVariant:
    """Return ``variant``, the whole head where it names every class.

    Raises:
        HeadError: see ``under``.
    """
    if not variant.is_exact:
        raise HeadError("A set is scored where the logits stand still: without a threshold.")
    if variant == WHOLE_HEAD:
        return variant
    classifier = scored.bench.classifier(scored.model)
    own = len(classifier.linear.weight)
    if not has_imagenet(classifier):
        raise HeadError(
            f"{scored.model} has {own:,} classes of its own, not those of ImageNet-1k: they cannot "
            "be chosen for it and for others alike."
        )
    check_variant(variant, own)
    return replace(variant, classes=()) if len(variant.classes) == own else variant


def _facts(scored: ScoredSet) -> dict[str, str]:
    """Return what the score file says it was made from: the whole head's facts, and the variant."""
    variant = scored.variant
    bench = scored.bench
    translator = bench.translator(scored.model, scored.reference)
    facts = score_facts(scored.folder, bench.entry(scored.model), scored.reference, translator)
    facts |= {
        "classes": ",".join(map(str, variant.classes)),
        "centred": "yes" if variant.centred else "no",
    }
    return facts if scored.dimension is None else facts | {"dimension": str(scored.dimension)}


def _holds(wanted: ScoredSet, facts: dict[str, str]) -> bool:
    """Return whether the file is there and was made from ``facts``; a damaged one is not."""
    try:
        if facts_of(wanted.path) != facts:
            return False
        return wanted.dimension is None or bool(wanted.bench.store.load(CUTS, wanted.path.stem))
    except StaleArtefactError:
        return False


def _rows(scored: ScoredSet, variant: HeadVariant) -> list[int]:
    """Return the rows of the images whose own class decides.

    Raises:
        ImageSetError: there is none.
    """
    found = scored.ask("SELECT row, label FROM all_images ORDER BY row")
    labels = found["label"].to_pylist()
    wanted = set(variant.classes or labels)
    rows = [
        row for row, label in zip(found["row"].to_pylist(), labels, strict=True) if label in wanted
    ]
    if not rows:
        chosen = len(variant.classes)
        raise ImageSetError(
            f"No image is left: the set {scored.folder.facts.name} has images of "
            f"{len(set(labels)):,} classes, and the {chosen:,} that shall decide "
            f"{'is' if chosen == 1 else 'are'} not among them. The command `classes` lists them."
        )
    return rows


def _cut(wanted: ScoredSet, rows: list[int]) -> RandomSubspaces:
    """Keep the null directions that hold most of the images at ``rows``; return the controls.

    Raises:
        OSError: the disk refuses.
    """
    head = wanted.bench.deciding(wanted.model, wanted.variant).linear.head
    parts = (features.double() for _, features in wanted.features(rows))
    moment = sum((part.mT @ part for part in parts), torch.zeros(()))
    directions = largest_null_directions(head, moment, wanted.nullity)
    wanted.bench.store.save(CUTS, wanted.path.stem, {"directions": directions}, {})
    evict_oldest(wanted.bench.store.path(CUTS, wanted.path.stem), _MOST_FILES, _MOST_BYTES)
    translator = wanted.bench.translator(wanted.model, wanted.reference)
    return cut_controls(head, moment, wanted.nullity, translator)


def _batches(
    scored: ScoredSet, rows: list[int], report: Report, controls: RandomSubspaces | None
) -> Iterator[ScoreBatch]:
    """Yield the scores of the images at ``rows``, chunk by chunk.

    Raises:
        ImageSetError: none of them can be scored.
    """
    report(0, len(rows))
    vocabulary = scored.bench.vocabulary(scored.reference)
    texts = vocabulary.embeddings[: vocabulary.n_classes]
    stratum = scored.folder.facts.stratum
    scorer = Scorer(
        scored.bench, scored.model, scored.reference, texts, stratum, scored.deciding, controls
    )
    labels = imagenet_places()
    done = usable = 0
    for images, features in scored.features(rows):
        batch, _ = scorer.score(Chunk(features, tuple(images), ()), labels)
        done += len(images)
        report(done, len(rows))
        if batch is not None:
            usable += len(batch.whole["row"])
            yield batch
    if not usable:
        raise ImageSetError(
            f"No image is left: none of the {len(rows):,} images of the chosen classes keeps its "
            "logits within rounding."
        )


def _write(wanted: ScoredSet, facts: dict[str, str], rows: list[int], report: Report) -> None:
    controls = None if wanted.dimension is None else _cut(wanted, rows)
    write_scores(wanted.path, _batches(wanted, rows, report, controls), facts)
    evict_oldest(wanted.path, _MOST_FILES, _MOST_BYTES)
