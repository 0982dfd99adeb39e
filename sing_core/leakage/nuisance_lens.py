"""What planted nuisances are looked at through: a head, a translator, and the words of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.leakage.planting import NUISANCES, Nuisance, Planted
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.unseen import Unseen
from sing_core.models.workbench import Workbench


@dataclass(frozen=True, slots=True, eq=False)
class Lens:
    """What movements of features are looked at through.

    Attributes:
        linear: head with its split; ``unseen`` the translators of the ``n`` photographs.
        nuisances: the ``q`` nuisances that are told apart.
        words: ``(w, d)`` texts of all their words, in order.
        vocabulary: ``(k, d)`` texts of the reference's concepts.
    """

    linear: LinearHead
    unseen: Unseen
    nuisances: tuple[Nuisance, ...]
    words: Tensor
    vocabulary: Tensor

    @property
    def averaging(self) -> Tensor:
        """``(w, q)``: from scores towards words to means over each nuisance's own."""
        owner = [place for place, one in enumerate(self.nuisances) for _ in one.words]
        table = torch.nn.functional.one_hot(torch.tensor(owner), len(self.nuisances)).double()
        return table / table.sum(dim=0)


def lens_of(
    bench: Workbench,
    planted: Sequence[Planted],
    model: str,
    reference: str,
    nuisances: tuple[Nuisance, ...] = NUISANCES,
) -> Lens:
    """Return what the photographs ``planted`` under ``model`` are looked at through.

    Raises:
        SingError: head, translator or texts cannot be had.
    """
    vocabulary = bench.vocabulary(reference)
    words = [word for nuisance in nuisances for word in nuisance.words]
    texts = [bench.text_embedding(reference, word, vocabulary) for word in words]
    unseen = Unseen.of(bench.translator(model, reference), [one.digest for one in planted])
    linear = bench.classifier(model).linear
    return Lens(linear, unseen, nuisances, torch.stack(texts), vocabulary.embeddings)


def check_null_space(bench: Workbench, model: str) -> None:
    """Check, before anything is planted, that there is a null space to plant in.

    Raises:
        ImageSetError: there is none.
        SingError: the classifier cannot be loaded.
    """
    if not bench.classifier(model).linear.head.nullity:
        title = bench.entry(model).title
        raise ImageSetError(f"{title} has no null space: nothing that is planted can lie in it.")
