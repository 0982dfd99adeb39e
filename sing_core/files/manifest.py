"""What an artefact says about itself, and how a file that is not what it says is found out."""

import importlib.metadata
import json
from collections.abc import Mapping

from torch import Tensor

from sing_core.files.digests import content_key, tensor_digest

FORMAT_VERSION = "1"


def manifest_of(tensors: Mapping[str, Tensor], meta: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that goes into the file of ``tensors``, the facts ``meta`` included."""
    manifest = {
        "format": FORMAT_VERSION,
        "sha256": tensor_digest(tensors),
        "tensors": {name: _describe(tensor) for name, tensor in tensors.items()},
        "libraries": _library_versions(),
        "meta": dict(meta),
    }
    text = json.dumps(manifest, sort_keys=True)
    return {"manifest": text, "manifest_key": content_key(text)}


def _describe(tensor: Tensor) -> list[str | list[int]]:
    return [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]


def _library_versions() -> dict[str, str]:
    names = ("torch", "safetensors", "numpy")
    return {name: importlib.metadata.version(name) for name in names}


def fault_of(
    metadata: Mapping[str, str], tensors: Mapping[str, Tensor], expect: Mapping[str, str]
) -> str | None:
    """Say how a file differs from its manifest or from ``expect``; ``None`` if it does not."""
    text = metadata.get("manifest", "")
    if not text or metadata.get("manifest_key") != content_key(text):
        return "its manifest is missing or was changed"
    manifest = json.loads(text)
    if manifest["format"] != FORMAT_VERSION:
        return f"it has format {manifest['format']}, and this version reads {FORMAT_VERSION}"
    for name, value in expect.items():
        found = manifest["meta"].get(name)
        if found != value:
            return f"{name} is {found!r} in the file and should be {value!r}"
    if manifest["tensors"] != {name: _describe(tensor) for name, tensor in tensors.items()}:
        return "its shapes or types are not those of its manifest"
    if manifest["sha256"] != tensor_digest(tensors):
        return "its checksum does not match"
    return None
