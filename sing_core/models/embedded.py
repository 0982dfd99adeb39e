"""Assemble the embedded default under ``cache/mini/`` from pinned package files and our weights.

Written: one safetensors file per classifier with timm's names (``trunks``), and an open_clip
``local-dir:`` folder for each reference that ships.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_once
from sing_core.files.packages import TEXT_TOWER, is_installed, verified
from sing_core.files.receipts import build_once
from sing_core.models.embedded_reference import (
    EMBEDDED,
    MINI,
    TEXT_INNER,
    TEXT_OUTER,
    EmbeddedReference,
)
from sing_core.models.trunks import Progress, assemble_trunk, assemble_trunks, source_of, tell

if TYPE_CHECKING:
    from sing_core.settings import Settings

_FORMAT = "4"


@dataclass(frozen=True, slots=True)
class MiniPaths:
    """What ``assemble`` left on disk.

    Attributes:
        trunks: timm name -> safetensors file with timm's state-dict names.
        references: name -> open_clip ``local-dir`` folder.
    """

    trunks: dict[str, Path]
    references: dict[str, Path]


def assemble(settings: "Settings", progress: Progress | None = None) -> MiniPaths:
    """Build (or confirm) the classifiers' weights and the references; idempotent.

    ``progress`` is called with one sentence before each step that takes time. What needs a package
    that is installed apart from the others is left out where that is missing (``trunks``).

    Raises:
        WeightsUnavailableError: another package is missing, a digest differs, a trained file is
            missing, or the cache cannot be written.
    """
    here = [row for row in EMBEDDED.values() if is_installed(source_of(row.trunk))]
    for row in here:  # before anything is converted
        row.trained(settings)
    trunks = assemble_trunks(settings, progress)
    folders = {row.name: assemble_reference(row, settings, progress) for row in here}
    return MiniPaths(trunks, folders)


def assemble_reference(
    reference: EmbeddedReference, settings: "Settings", progress: Progress | None = None
) -> Path:
    """Build (or confirm) one reference alone and return its folder.

    Raises:
        WeightsUnavailableError: as for ``assemble``; or its own package is missing.
    """
    folder = settings.cache_dir.absolute() / "mini" / reference.folder
    inputs = {"format": _FORMAT, "folder": str(folder)}
    inputs |= {kind: sha256_once(path) for kind, path in reference.trained(settings).items()}
    inputs |= {"trunk": source_of(reference.trunk).sha256}
    inputs |= {name: source.sha256 for name, source in TEXT_TOWER.items()}
    trunk = assemble_trunk(reference.trunk, settings, progress)

    def build(target: Path) -> None:
        tell(progress, f"Assembling the {reference.name} image-text reference (110 MB).")
        _write_reference(target, folder, trunk, reference, settings)

    build_once(folder, inputs, build)
    return folder


def _write_reference(
    target: Path, final: Path, trunk: Path, reference: EmbeddedReference, settings: "Settings"
) -> None:
    from safetensors.torch import load_file, save

    target.mkdir()
    for name, source in TEXT_TOWER.items():
        path = verified(source)
        if name != "model.safetensors":
            shutil.copyfile(path, target / name)
    if reference.tower:
        (target / "tower").mkdir()
        (target / "tower" / "config.json").write_text(json.dumps(reference.tower), "utf-8")
    weights = {
        f"visual.trunk.{name}": value
        for name, value in load_file(trunk).items()
        if not name.startswith(("classifier.", "head."))
    }
    image, words = reference.read_head(settings), MINI.read_head(settings)
    weights |= {f"visual.head.proj.{name}": image[name] for name in ("weight", "bias")}
    weights["text.proj.0.weight"] = words[TEXT_INNER]
    weights["text.proj.2.weight"] = words[TEXT_OUTER]
    text = load_file(verified(TEXT_TOWER["model.safetensors"]))
    weights |= {
        f"text.transformer.{name}": value
        for name, value in text.items()
        if not name.startswith("pooler.") and not name.endswith("position_ids")
    }
    weights["logit_scale"] = image["weight"].new_tensor(2.6592)
    write_atomically(target / "open_clip_model.safetensors", save(weights))
    config = json.dumps(reference.config(final), indent=1)
    (target / "open_clip_config.json").write_text(config, encoding="utf-8")
