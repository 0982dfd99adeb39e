"""Embeddings of sentences through the frozen text tower, cached on disk."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.packages import TEXT_TOWER, verified

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

_BATCH = 128


def class_names() -> tuple[list[str], list[str]]:
    """Return the 1,000 class names twice: open_clip's curated ones and WordNet's first lemmas."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    lemmas = [info.index_to_description(i).split(",")[0].strip() for i in range(1000)]
    return list(IMAGENET_CLASSNAMES), lemmas


class TextTower:
    """all-MiniLM-L6-v2 with mean pooling: the text side of ``mini``."""

    def __init__(self, settings: "Settings") -> None:
        """Remember where to cache; the network is loaded on the first text that is not cached."""
        self._root = settings.cache_dir / "training"
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> "Tensor":
        """Return ``(n, 384)`` float32 raw (not normalised) embeddings of ``texts``."""
        from safetensors.torch import load_file, save

        digest = sha256_of_bytes("\0".join(texts).encode())[:24]
        path = self._root / f"texts-{digest}.safetensors"
        if not path.is_file():
            write_atomically(path, save({"embeddings": self._compute(texts)}))
        return load_file(path)["embeddings"]

    def _compute(self, texts: Sequence[str]) -> "Tensor":
        import torch
        from transformers import AutoModel, AutoTokenizer

        if self._loaded is None:
            folder = verified(TEXT_TOWER["model.safetensors"]).parent
            for source in TEXT_TOWER.values():
                verified(source)
            self._loaded = (
                AutoTokenizer.from_pretrained(folder),
                AutoModel.from_pretrained(folder).eval(),
            )
        tokenizer, network = self._loaded
        result = torch.empty(len(texts), 384)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            tokens = tokenizer([texts[i] for i in rows], padding=True, return_tensors="pt")
            with torch.inference_mode():
                hidden = network(**tokens).last_hidden_state
            mask = tokens["attention_mask"].unsqueeze(-1).float()
            result[rows] = (hidden * mask).sum(1) / mask.sum(1)
        return result
