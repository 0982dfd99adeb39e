"""Non-linear translators of a prepared set, trained on its own images in five parts, and kept.

They are other defensible choices of the translator (supplement 1.1). Training takes minutes, so it
is asked for; in ``multiverse`` they take part where that is asked for, too.
"""

from collections.abc import Callable, Iterator

import torch

from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.maths.cross_networks import CrossNetworks, cross_train
from sing_core.maths.folds import folds_of
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.training import Recipe
from sing_core.models.references import space_id
from sing_core.models.registry import base_of
from sing_core.sets.reference_rows import reference_rows

KIND = "set-networks"
# As the paper's, but for the rate: a set has a tenth of the rows that the paper's fits have.
RECIPE = Recipe(learning_rate=3e-4)
SPOKEN = {
    "mlp3": "a network of three layers",
    "mlp4": "a network of four layers",
    "residual": "a residual network",
}

Progress = Callable[[str, int, int], None]


def train_networks(scored: ScoredSet, progress: Progress | None = None) -> tuple[str, ...]:
    """Train what is not yet trained into the reference of ``scored``; return all architectures.

    ``progress`` is called with the architecture, how many passes are done, and the most there are.

    Raises:
        ImageSetError: the reference's embeddings are not kept with the set, or it has few images.
        SingError: features or head cannot be read.
    """
    for architecture in ARCHITECTURES:

        def compute(architecture: str = architecture) -> dict[str, torch.Tensor]:
            said = None if progress is None else _of(architecture, progress)
            return _trained(scored, architecture, said).tensors()

        scored.bench.store.get_or_compute(
            KIND, _key(scored, scored.reference, architecture), compute, meta={"of": architecture}
        )
    return ARCHITECTURES


def trained_networks(scored: ScoredSet, reference: str) -> Iterator[CrossNetworks]:
    """Yield the networks into ``reference`` that were trained on the set before.

    Raises:
        StaleArtefactError: one is damaged.
    """
    for architecture in ARCHITECTURES:
        found = scored.bench.store.load(KIND, _key(scored, reference, architecture))
        if found is not None:
            yield CrossNetworks.of_tensors(architecture, found)


def networks_state(scored: ScoredSet) -> tuple[bool, ...]:
    """Return which of the networks into the reference of ``scored`` are trained."""
    store = scored.bench.store
    keys = (_key(scored, scored.reference, architecture) for architecture in ARCHITECTURES)
    return tuple(store.path(KIND, key).is_file() for key in keys)


def _of(architecture: str, progress: Progress) -> Callable[[int, int], None]:
    return lambda done, whole: progress(architecture, done, whole)


def _trained(
    scored: ScoredSet, architecture: str, progress: Callable[[int, int], None] | None
) -> CrossNetworks:
    seen = reference_rows(scored.bench, scored.folder, scored.reference)
    place = {row: index for index, row in enumerate(seen.rows.tolist())}
    images, features, wanted = [], [], []
    for own, part in scored.features(list(place)):
        images += own
        features.append(part)
        wanted += [place[image.row] for image in own]
    if not images:
        raise ImageSetError(f"The set {scored.folder.facts.name} has no image to train on.")
    pairs = torch.cat(features).float(), seen.embeddings[torch.tensor(wanted)]
    folds = folds_of([image.digest for image in images])
    return cross_train(architecture, pairs, folds, RECIPE, progress)


def _key(scored: ScoredSet, reference: str, architecture: str) -> str:
    space = space_id(base_of(reference), scored.bench.settings)
    digest = scored.bench.entry(scored.model).weights_digest
    return content_key(scored.folder.facts.key, digest, space, architecture, repr(RECIPE))
