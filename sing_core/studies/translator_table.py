"""The comparison of translators that ships, read: its tables, and how the networks were trained."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sing_core.errors import StaleArtefactError
from sing_core.maths.training import Epoch
from sing_core.maths.translator_quality import Comparison

if TYPE_CHECKING:
    from pathlib import Path

    from sing_core.settings import Settings

_DAMAGED = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Training:
    """How one network was trained.

    Attributes:
        architecture: one of ``nonlinear.ARCHITECTURES``; ``loss`` one of ``training.LOSSES``.
        epochs: its passes; ``best`` the position of the one that was kept.
    """

    architecture: str
    loss: str
    epochs: tuple[Epoch, ...]
    best: int

    @property
    def kept(self) -> Epoch:
        """The pass whose network was kept."""
        return self.epochs[self.best]


def comparison_path(settings: "Settings") -> "Path":
    """Return where the comparison that ships lies; ``sing_core.making.compare`` makes it."""
    return settings.assets_dir / "translators" / "comparison.json"


def read_comparisons(settings: "Settings") -> tuple[str, dict[str, Comparison]]:
    """Return the command that made the shipped comparison, and its tables by set of images.

    Raises:
        StaleArtefactError: the file is missing or is not one.
    """
    stored = _read(settings)
    try:
        tables = {name: Comparison.from_json(table) for name, table in stored["tests"].items()}
        return str(stored["command"]), tables
    except _DAMAGED as error:
        raise _stale(settings) from error


def read_trainings(settings: "Settings") -> tuple[Training, ...]:
    """Return how each network of the shipped comparison was trained (the paper's Fig. 7).

    Raises:
        StaleArtefactError: the file is missing or is not one.
    """
    stored = _read(settings)
    try:
        return tuple(
            _training(name, fit["epochs"], int(fit["best_epoch"]))
            for name, fit in stored["fits"].items()
            if "epochs" in fit
        )
    except _DAMAGED as error:
        raise _stale(settings) from error


def _training(name: str, epochs: list[dict[str, float]], best: int) -> Training:
    architecture, loss = name.split(", ")
    return Training(architecture, loss, tuple(Epoch(**row) for row in epochs), best)


def _read(settings: "Settings") -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return json.loads(comparison_path(settings).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _stale(settings) from error


def _stale(settings: "Settings") -> StaleArtefactError:
    return StaleArtefactError(
        f"The comparison of translators, {comparison_path(settings).name} under "
        "assets/translators, is missing or damaged."
    )
