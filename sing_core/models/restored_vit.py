"""The restored ViT-S/14: the package's lower blocks, and above them what was trained here.

The trained half ships in half the room of half precision: each row of a
matrix in 255 even steps. The head keeps half precision, since null spaces are computed from it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.maths.row_steps import from_row_steps, row_steps
from sing_core.models.focus_vit import encoder_weights

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

# Blocks that stay as the package has them; those above were trained anew.
FROZEN = 6
_STEPS, _SCALES = ".steps", ".scales"


def upper_path(settings: "Settings") -> Path:
    """Return where the trained blocks ship."""
    return settings.assets_dir / "vits" / "upper.safetensors"


def packed(trained: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return what ships of the ``trained`` entries (timm's names): ``unpacked`` undoes it."""
    kept: dict[str, Tensor] = {}
    for name, value in trained.items():
        if value.ndim == 2 and not name.startswith("head."):
            kept[name + _STEPS], kept[name + _SCALES] = row_steps(value)
        else:
            kept[name] = value.half()
    return kept


def unpacked(stored: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Return the trained entries, float32, under timm's names.

    Raises:
        WeightsUnavailableError: the steps of a matrix are there without their lengths.
    """
    found: dict[str, Tensor] = {}
    for name, value in stored.items():
        if name.endswith(_STEPS):
            whole = name.removesuffix(_STEPS)
            if whole + _SCALES not in stored:
                raise WeightsUnavailableError(f"The trained blocks lack {whole + _SCALES}.")
            found[whole] = from_row_steps(value, stored[whole + _SCALES])
        elif not name.endswith(_SCALES):
            found[name] = value.float()
    return found


def restored_weights(upper: Path) -> dict[str, "Tensor"]:
    """Return the restored classifier for timm: the package's lower blocks under ``upper``'s.

    The names are those of ``vit_small_patch14_dinov2`` with ``img_size=SIZE`` and
    ``num_classes=1000``; float32.

    Raises:
        WeightsUnavailableError: the package is missing, or ``upper`` cannot be read or lacks an
            entry of the upper blocks.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights = encoder_weights()
    try:
        trained = unpacked(load_file(upper))
    except (SafetensorError, OSError) as error:
        raise WeightsUnavailableError(
            f"The trained blocks {upper.name} are missing or damaged; restore the file from the "
            "repository."
        ) from error
    wanted = {name for name in weights if _is_trained(name)} | {"head.weight", "head.bias"}
    if odd := sorted(wanted ^ trained.keys()):
        raise WeightsUnavailableError(f"{upper.name} does not hold the trained blocks: {odd[0]}.")
    return weights | trained


def _is_trained(name: str) -> bool:
    kind, _, rest = name.partition(".")
    return kind == "norm" or (kind == "blocks" and int(rest.partition(".")[0]) >= FROZEN)
