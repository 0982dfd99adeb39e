"""Karlo's weight files: where they lie, whether they are the right ones, how to fetch them.

Nothing here opens a weight file; ``find_karlo`` never uses the network. Files come from a folder
of the user's or from the Hugging Face cache, where the name of every file's content is its digest.
What was taken first is written down under ``<cache>/karlo`` and held to from then on: a branch of
the repository may move and a file may be replaced, the pictures' addresses may not.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.errors import WeightsUnavailableError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import content_key
from sing_core.files.file_notes import Progress, Seen, read_notes, verify

if TYPE_CHECKING:
    from sing_core.settings import Settings

REPOSITORY = "kakaobrain/karlo-v1-alpha-image-variations"
# The one revision of it that has safetensors; `main` has pickles alone. A request for merging may
# be amended: what it was when first used is held to (``KarloFiles.remember``), by its full hash.
SAFETENSORS_REF = "refs/pr/2"
COMPONENTS = ("text_encoder", "text_proj", "decoder", "super_res_first", "super_res_last")
# The image encoder is not among them: vectors come from translators.
PLAIN_FILES = (
    *(f"{name}/config.json" for name in COMPONENTS),
    "decoder_scheduler/scheduler_config.json",
    "super_res_scheduler/scheduler_config.json",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class KarloFiles:
    """A complete, verified set of files, in the hub's folder layout.

    Attributes:
        root: the folder.
        revision: full commit hash of the repository; "" for a folder of the user's.
        weights: component -> its weight file, relative to ``root``.
        seen: file, relative to ``root`` -> its SHA-256, size and time.
        notes: where ``remember`` writes that down.
    """

    root: Path
    revision: str
    weights: Mapping[str, str]
    seen: Mapping[str, Seen]
    notes: Path

    @property
    def weights_id(self) -> str:
        """Digest of the contents, wherever they lie: 64 hexadecimal digits."""
        parts = [part for name in sorted(self.seen) for part in (name, self.seen[name]["sha256"])]
        return content_key(*parts)

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the object in the file called ``name``.

        Raises:
            WeightsUnavailableError: it holds none.
        """
        try:
            found = json.loads((self.root / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise WeightsUnavailableError(
                f"Karlo's {name} cannot be read ({error}); fetch it again."
            ) from error
        if not isinstance(found, dict):
            raise WeightsUnavailableError(f"Karlo's {name} holds no JSON object; fetch it again.")
        return found

    def remember(self) -> None:
        """Write down that these files were used, so that a change is noticed from now on."""
        try:
            write_atomically(self.notes, json.dumps(dict(self.seen), indent=1).encode())
            if self.revision:
                write_atomically(_pin(self.notes.parent), self.revision.encode())
        except OSError as error:
            _log.warning("Karlo's digests cannot be kept: %s.", error)


def find_karlo(settings: "Settings", progress: Progress | None = None) -> KarloFiles:
    """Find and verify Karlo's files on this machine.

    ``progress`` gets one sentence before the files are hashed, which takes a while the first time.

    Raises:
        WeightsUnavailableError: a file is missing, only there as a pickle that is not allowed, or
            not the one that it should be. The message names it and says how to fetch it.
    """
    root, revision = _root(settings)
    weights = _choose_weights(root, revision, settings)
    notes = settings.cache_dir / "karlo" / f"{content_key(str(root.absolute()))[:32]}.json"
    before = read_notes(notes)
    seen: dict[str, Seen] = {}
    for name in sorted([*PLAIN_FILES, *weights.values()]):
        seen[name] = verify(root / name, name, before.get(name), notes, progress)
    return KarloFiles(root, revision, weights, seen, notes)


def why_missing(settings: "Settings") -> str | None:
    """Return the sentence that says which file is missing, ``None`` when all of them are there.

    It costs a look into the folder; only ``find_karlo`` verifies what the files contain.
    """
    try:
        root, revision = _root(settings)
        _choose_weights(root, revision, settings)
    except WeightsUnavailableError as error:
        return str(error)
    return None


def _root(settings: "Settings") -> tuple[Path, str]:
    if settings.karlo_dir is not None:
        if not settings.karlo_dir.is_dir():
            raise WeightsUnavailableError(
                f"SING_KARLO_DIR names no folder ({settings.karlo_dir}); {how_to_fetch()}."
            )
        return settings.karlo_dir, ""
    revision = _wanted_revision(settings)
    snapshot = _hub_folder() / "snapshots" / revision
    if not revision or not snapshot.is_dir():
        raise WeightsUnavailableError(
            f"Karlo's weights are missing: {safetensors_name('decoder')} of {REPOSITORY} at "
            f"revision {revision or SAFETENSORS_REF} is not in the Hugging Face cache; "
            f"{how_to_fetch(revision)}."
        )
    return snapshot, revision


def pinned_revision(settings: "Settings") -> str:
    """Return the full commit hash that the setting, or else this machine's first use, fixed."""
    return settings.karlo_revision or _commit_in(_pin(settings.cache_dir / "karlo"))


def _wanted_revision(settings: "Settings") -> str:
    """Return the commit to take, else what the cache says that the repository's refs were."""
    refs = (_commit_in(_hub_folder() / "refs" / ref) for ref in (SAFETENSORS_REF, "main"))
    return pinned_revision(settings) or next(filter(None, refs), "")


def _commit_in(path: Path) -> str:
    try:
        text = path.read_text("ascii", errors="replace").strip()
    except OSError:
        return ""
    return text if _COMMIT.fullmatch(text) else ""


def _pin(folder: Path) -> Path:
    return folder / "revision"


def _hub_folder() -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=REPOSITORY, repo_type="model")


def safetensors_name(component: str) -> str:
    """Return where the hub keeps a component's weights as safetensors."""
    text = component == "text_encoder"
    return f"{component}/{'model' if text else 'diffusion_pytorch_model'}.safetensors"


def pickle_name(component: str) -> str:
    """Return where the hub keeps them as a pickle."""
    text = component == "text_encoder"
    return f"{component}/{'pytorch_model' if text else 'diffusion_pytorch_model'}.bin"


def allowed_pickles(settings: "Settings") -> set[str]:
    """Return the pickles that the user named as trusted."""
    return {name.strip() for name in settings.karlo_pickles.split(",")} - {""}


def how_to_fetch(revision: str = "") -> str:
    """Return the half sentence that says how Karlo's files come onto this machine."""
    patterns = " ".join(f'--include "*.{kind}"' for kind in ("json", "txt", "safetensors"))
    command = f"hf download {REPOSITORY} --revision {revision or SAFETENSORS_REF} {patterns}"
    return f"fetch it with `{command}`, or let SING_KARLO_DIR name a folder that holds it"


def _choose_weights(root: Path, revision: str, settings: "Settings") -> dict[str, str]:
    """Return component -> weight file; safetensors first, a pickle only if allowed by name."""
    weights, pickles = {}, []
    missing = [name for name in PLAIN_FILES if not (root / name).is_file()]
    for component in COMPONENTS:
        safe, pickle = safetensors_name(component), pickle_name(component)
        if (root / safe).is_file():
            weights[component] = safe
        elif not (root / pickle).is_file():
            missing.append(safe)
        elif pickle in allowed_pickles(settings):
            weights[component] = pickle
        else:
            pickles.append(pickle)
    where = f"revision {revision}" if revision else f"the folder {root}"
    if missing:
        others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise WeightsUnavailableError(
            f"Karlo's file {missing[0]}{others} of {REPOSITORY} is missing in {where}; "
            f"{how_to_fetch(pinned_revision(settings) if revision else '')}."
        )
    if pickles:
        raise WeightsUnavailableError(
            f"Karlo's {pickles[0]} is there only as a pickle in {where}, and opening a pickle can "
            f"run code: {how_to_fetch()}; or, if you trust its source, allow it by name with "
            f"SING_KARLO_PICKLES={','.join(sorted({*pickles, *allowed_pickles(settings)}))}."
        )
    return weights


def unreadable(name: str, error: Exception) -> WeightsUnavailableError:
    """Return the error for a weight file that cannot be read."""
    return WeightsUnavailableError(
        f"Karlo's {name} is damaged or no weight file ({first_line(error)}); fetch it again."
    )


def first_line(error: Exception) -> str:
    """Return the gist of a library's error, which may have many lines."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300].rstrip(".,:; ") or type(error).__name__


def check_class(config: dict[str, Any], name: str, expected: str) -> None:
    """Check which class a configuration is for.

    Raises:
        WeightsUnavailableError: it is for another one than ``expected``.
    """
    found = config.get("_class_name") or ", ".join(config.get("architectures") or ["nothing"])
    if found != expected:
        raise WeightsUnavailableError(
            f"This is not Karlo: {name} describes {found}, and {expected} is needed."
        )
