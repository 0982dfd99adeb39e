"""The training loop of non-linear translators: AdamW on MSE, cosine or both (eqs. 14 and 15)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from sing_core.errors import ShapeError
from sing_core.maths.nonlinear import HIDDEN, NonlinearTranslator, TranslatorNetwork

LOSSES = ("mse", "cosine", "both")
_JUDGE_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained; rate and decay are the paper's.

    Attributes:
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch: rows per step.
        epochs: most passes over the rows.
        patience: passes without a better held-out cosine after which training ends.
        hidden: width of the hidden layers.
        seed: decides initial weights, dropout and order.
    """

    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    batch: int = 128
    epochs: int = 30
    patience: int = 4
    hidden: int = HIDDEN
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass: mean training loss, and cosine and MSE per entry on the held-out rows."""

    loss: float
    cosine: float
    mse: float


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained translator, as it was after the pass of the largest held-out cosine.

    Attributes:
        translator: that state, frozen.
        epochs: every pass, in order.
        best: the position of that pass.
    """

    translator: NonlinearTranslator
    epochs: tuple[Epoch, ...]
    best: int


def train(
    architecture: str,
    loss: str,
    rows: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    recipe: Recipe | None = None,
    progress: Callable[[int, int, Epoch], None] | None = None,
) -> Trained:
    """Train one of ``nonlinear.ARCHITECTURES`` from features ``(n, m)`` to embeddings ``(n, d)``.

    ``held_out`` is another such pair, which alone decides when to stop. ``progress`` is called
    after each pass with its number, the most there can be, and its measures.

    Raises:
        ShapeError: rows do not pair up, or there are none.
        UnknownNameError: there is no such architecture.
        ValueError: ``loss`` is not one of ``LOSSES``.
    """
    if loss not in LOSSES:
        raise ValueError(f"a loss is one of {', '.join(LOSSES)}, got {loss!r}")
    for x, z in (rows, held_out):
        if x.ndim != 2 or z.ndim != 2 or len(x) != len(z) or len(x) == 0:
            raise ShapeError(
                f"Training needs features (n, m) and embeddings (n, d), got {tuple(x.shape)} "
                f"and {tuple(z.shape)}."
            )
    recipe = recipe or Recipe()
    x, z = rows[0].float(), rows[1].float()
    network = TranslatorNetwork(architecture, x.shape[1], z.shape[1], recipe.hidden, recipe.seed)
    network.standardise(x, z)
    return _run(architecture, network, loss, (x, z), held_out, recipe, progress)


def _run(
    architecture: str,
    network: TranslatorNetwork,
    loss: str,
    rows: tuple[Tensor, Tensor],
    held_out: tuple[Tensor, Tensor],
    recipe: Recipe,
    progress: Callable[[int, int, Epoch], None] | None,
) -> Trained:
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    epochs: list[Epoch] = []
    best, kept = 0, NonlinearTranslator.of(architecture, network)
    for number in range(recipe.epochs):
        mean_loss = _pass(network, optimiser, loss, rows, recipe.batch)
        epochs.append(Epoch(mean_loss, *judge(network, *held_out)))
        if progress is not None:
            progress(number + 1, recipe.epochs, epochs[-1])
        if number == 0 or epochs[-1].cosine > epochs[best].cosine:
            best, kept = number, NonlinearTranslator.of(architecture, network)
        elif number - best >= recipe.patience:
            break
    return Trained(kept, tuple(epochs), best)


def _pass(
    network: TranslatorNetwork,
    optimiser: torch.optim.Optimizer,
    loss: str,
    rows: tuple[Tensor, Tensor],
    batch: int,
) -> float:
    """Go once over ``rows`` in random order; return the mean loss."""
    network.train()
    scale = network.get_buffer("embedding_scale")
    order, total = torch.randperm(len(rows[0]), generator=network.chance), 0.0
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        optimiser.zero_grad(set_to_none=True)
        value = _loss(network(rows[0][chosen]), rows[1][chosen], loss, scale)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += float(value.detach()) * len(chosen)
    return total / len(order)


def _loss(guess: Tensor, true: Tensor, kind: str, scale: Tensor) -> Tensor:
    """Return the loss of a batch; squared errors in units of the embeddings' own spread."""
    squared = ((guess - true) / scale).square().mean()
    turned = 1 - cosine_similarity(guess, true, dim=-1).mean()
    return {"mse": squared, "cosine": turned, "both": squared + turned}[kind]


def judge(network: TranslatorNetwork, features: Tensor, embeddings: Tensor) -> tuple[float, float]:
    """Return mean cosine and MSE per entry of ``T(f)`` against the true embeddings."""
    network.eval()
    with torch.inference_mode():
        guess = torch.cat([network(part.float()) for part in torch.split(features, _JUDGE_BATCH)])
    true = embeddings.float()
    cosine = cosine_similarity(guess, true, dim=-1).mean()
    return float(cosine), float((guess - true).square().mean())
