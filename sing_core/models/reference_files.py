"""Where the files of an image-text reference lie: with the product, in a folder, or on the hub.

open_clip fetches by itself, but takes the newest commit, shows nothing on a page, and where the
weights of a repository do not arrive it goes on with random ones. So whatever lies on the hub comes
through ``hub.fetch``, as the classifiers do: pinned, checked, safetensors, or a sentence.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.errors import (
    NoSuchFileError,
    ReferenceMismatchError,
    UnknownNameError,
    WeightsUnavailableError,
)
from sing_core.files import hub
from sing_core.models.names import HubName, parse_name
from sing_core.models.registry import find_reference

if TYPE_CHECKING:
    from sing_core.settings import Settings

LOCAL = "local-dir:"
HUB = "hf-hub:"
CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
_PICKLED = "open_clip_pytorch_model.bin"  # read as weights only
_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
_TOKENISER = "tokenizer.json"
_BESIDE_IT = ("tokenizer_config.json", "special_tokens_map.json")
_TAKEN_FROM_TAG = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True, slots=True)
class ReferenceFiles:
    """What open_clip builds a reference from; everything is on this machine.

    Attributes:
        source: an architecture, or ``local-dir:`` and the folder of configuration and weights.
        weights: a file; or a tag that only open_clip can fetch.
        preprocess: how photos are prepared, in the words of ``create_model_and_transforms``.
        tokeniser: folder of a Hugging Face tokeniser; None where open_clip brings its own.
        text: the text tower's configuration, for that tokeniser.
    """

    source: str
    weights: str
    preprocess: dict[str, Any] = field(default_factory=dict)
    tokeniser: Path | None = None
    text: dict[str, Any] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        """Whether ``source`` is a folder, whose weights are loaded by their path.

        Left to itself, open_clip looks for certain names there, and where it finds none it goes on
        with random weights.
        """
        return self.source.startswith(LOCAL)

    def make_tokeniser(self) -> Any:  # noqa: ANN401 - open_clip's, untyped
        """Return what turns a list of prompts into token ids."""
        import open_clip

        if self.tokeniser is None:
            return open_clip.get_tokenizer(self.source)
        return open_clip.tokenizer.HFTokenizer(
            str(self.tokeniser),
            context_length=self.text.get(
                "context_length", open_clip.tokenizer.DEFAULT_CONTEXT_LENGTH
            ),
            tokenizer_mode=self.text.get("tokenizer_mode"),
            **self.text.get("tokenizer_kwargs", {}),
        )


def reference_files(name: str, settings: "Settings") -> ReferenceFiles:
    """Return the files of the reference ``name`` (as for ``space_id``), fetched where needed.

    Raises:
        UnknownNameError: no reference is called so.
        ReferenceMismatchError: architecture and weights do not belong together.
        WeightsUnavailableError: something is missing and cannot be fetched.
    """
    row = find_reference(name, settings)
    if row is not None and row.ships:
        from sing_core.models.embedded import assemble_reference
        from sing_core.models.embedded_reference import embedded_reference

        folder = assemble_reference(embedded_reference(row.name), settings)
        return ReferenceFiles(f"{LOCAL}{folder}", str(folder_weights(folder)))
    if name.startswith(LOCAL):
        return ReferenceFiles(name, str(folder_weights(Path(name.removeprefix(LOCAL)))))
    if name.startswith(HUB):
        return _of_repository(name, settings)
    return _of_tag(*open_clip_name(name), settings)


def open_clip_name(name: str) -> tuple[str, str]:
    """Return architecture and weights tag once they are known to belong together.

    Raises:
        UnknownNameError: open_clip does not know one of them.
        ReferenceMismatchError: the weights were trained with the other GELU.
    """
    import open_clip

    architecture, _, tag = name.partition("/")
    config = open_clip.get_model_config(architecture) if tag else None
    if config is None:
        raise UnknownNameError(
            f"No image-text reference is called “{name[:80]}”. There are those of the Library "
            "(`python -m sing_core references`), open_clip's as <architecture>/<weights>, "
            "local-dir:PATH and hf-hub:OWNER/NAME."
        )
    pretrained = open_clip.get_pretrained_cfg(architecture, tag)
    if not pretrained:
        known = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise UnknownNameError(
            f"open_clip has no weights “{tag[:80]}” for {architecture}; it has: {known}."
        )
    if bool(pretrained.get("quick_gelu")) != bool(config.get("quick_gelu")):
        other = (
            architecture.removesuffix("-quickgelu")
            if config.get("quick_gelu")
            else f"{architecture}-quickgelu"
        )
        kind = "QuickGELU" if pretrained.get("quick_gelu") else "plain GELU"
        raise ReferenceMismatchError(
            f"The weights “{tag}” were trained with {kind}, and {architecture} computes the other "
            f"GELU: every embedding would be wrong. Use {other}/{tag}."
        )
    return architecture, tag


def folder_weights(folder: Path) -> Path:
    """Return the one weights file of an open_clip folder: of the usual name, else the only one.

    Raises:
        WeightsUnavailableError: it is no such folder, or which of its files is meant is not clear.
    """
    try:
        weights = sorted(p for p in folder.iterdir() if p.suffix in _SUFFIXES and p.is_file())
    except (OSError, ValueError):  # no such folder, or no folder has such a name
        weights = []
    if not weights or not (folder / CONFIG).is_file():
        raise WeightsUnavailableError(
            f"The folder “{folder.name}” is not an open_clip model: {CONFIG} and a "
            "weights file were looked for."
        )
    usual = [folder / name for name in (*WEIGHTS, _PICKLED) if folder / name in weights]
    if not usual and len(weights) > 1:
        raise WeightsUnavailableError(
            f"The folder “{folder.name}” holds {len(weights)} weights files, "
            f"{', '.join(p.name for p in weights[:3])}: which is meant is not clear. Keep one, or "
            f"call it {WEIGHTS[0]}."
        )
    return (usual or weights)[0]


def deciding_files(folder: Path) -> list[Path]:
    """Return the files that decide what a folder's reference answers, in a fixed order.

    Raises:
        WeightsUnavailableError: as ``folder_weights``.
    """
    tokeniser = [folder / name for name in (_TOKENISER, "vocab.txt", *_BESIDE_IT)]
    return [folder / CONFIG, folder_weights(folder), *(p for p in tokeniser if p.is_file())]


def folder_state(name: str) -> str:
    """Return sizes and times of a local folder's files, "" for other names: changed is another."""
    if not name.startswith(LOCAL):
        return ""
    try:
        files = sorted(Path(name.removeprefix(LOCAL)).iterdir())
        return " ".join(f"{f.name}-{f.stat().st_size}-{f.stat().st_mtime_ns}" for f in files)
    except OSError:
        return ""


def _of_repository(name: str, settings: "Settings") -> ReferenceFiles:
    parsed = parse_name(name)
    if not isinstance(parsed, HubName):
        raise UnknownNameError(f"“{name[:80]}” names no hub repository.")
    repository, revision = parsed.repository, parsed.revision
    config = hub.fetch(repository, CONFIG, settings, revision=revision).path
    weights = _weights(repository, settings, revision)
    if weights.parent != config.parent:
        raise WeightsUnavailableError(
            f"Configuration and weights of {repository} lie here in two revisions: name one, as "
            f"{HUB}{repository}@<commit>."
        )
    try:
        text = json.loads(config.read_bytes())["model_cfg"]["text_cfg"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsUnavailableError(
            f"{CONFIG} of {repository} describes no open_clip model."
        ) from error
    source = f"{LOCAL}{config.parent}"
    return ReferenceFiles(source, str(weights), {}, _tokeniser(text, settings), text)


def _of_tag(architecture: str, tag: str, settings: "Settings") -> ReferenceFiles:
    import open_clip

    known = open_clip.get_pretrained_cfg(architecture, tag)
    text = open_clip.get_model_config(architecture)["text_cfg"]
    repository = known.get("hf_hub", "").rstrip("/")
    if repository.count("/") != 1:  # a file of its own, or an address outside the hub
        if hub.offline(settings):
            raise WeightsUnavailableError(
                f"The weights “{tag}” of {architecture} have to be fetched, and the network is "
                "switched off (SING_OFFLINE or HF_HUB_OFFLINE)."
            )
        return ReferenceFiles(architecture, tag)
    weights = _weights(repository, settings)
    preprocess = {f"image_{key}": known[key] for key in _TAKEN_FROM_TAG if known.get(key)}
    return ReferenceFiles(architecture, str(weights), preprocess, _tokeniser(text, settings), text)


def _weights(repository: str, settings: "Settings", revision: str = "") -> Path:
    here = [n for n in WEIGHTS if hub.cached(repository, n, settings, revision=revision)]
    names = here or WEIGHTS
    for name in names[:-1]:
        with suppress(NoSuchFileError):
            return hub.fetch(repository, name, settings, revision=revision).path
    return hub.fetch(repository, names[-1], settings, revision=revision).path


def _tokeniser(text: dict[str, Any], settings: "Settings") -> Path | None:
    """Return the folder of the tokeniser that ``text`` names, fetched; None where it names none."""
    repository = text.get("hf_tokenizer_name")
    if not repository:
        return None
    found = hub.fetch(repository, _TOKENISER, settings).path
    for name in _BESIDE_IT:
        with suppress(NoSuchFileError):
            hub.fetch(repository, name, settings)
    return found.parent
