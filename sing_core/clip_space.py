"""open_clip adapter: image and text embeddings of one reference, raw (never normalised)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.registry import find_reference

if TYPE_CHECKING:
    from sing_core.settings import Settings

_TEXT_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A frozen image-text model whose embeddings give features a meaning.

    Attributes:
        name: the name it was asked for by.
        space_id: identifies the embedding space; ties translator, texts and renderer together.
        model: the open_clip model, eval mode, without gradients.
        preprocess: photo (PIL, RGB) -> ``(3, h, w)``.
        tokenise: list of prompts -> token ids ``(n, length)``.
        device: where it runs.
    """

    name: str
    space_id: str
    model: Any
    preprocess: Callable[[Image.Image], Tensor]
    tokenise: Callable[[list[str]], Tensor]
    device: str

    @property
    def memory_bytes(self) -> int:
        """What the weights take in memory."""
        held = (*self.model.parameters(), *self.model.buffers())
        return sum(value.numel() * value.element_size() for value in held)

    def embed_images(self, images: Sequence[Image.Image]) -> Tensor:
        """Return raw image embeddings ``(n, d)``, float32 on the CPU, for RGB photos."""
        batch = torch.stack([self.preprocess(image) for image in images]).to(self.device)
        with torch.inference_mode():
            found: Tensor = self.model.encode_image(batch)
        return found.float().cpu().clone()

    def embed_texts(self, prompts: Sequence[str]) -> Tensor:
        """Return raw text embeddings ``(n, d)``, float32 on the CPU.

        Prompts of similar length share a batch, as a batch costs what its longest prompt costs;
        the rows come back in the order of ``prompts``.
        """
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        parts = []
        for start in range(0, len(order), _TEXT_BATCH):
            tokens = self.tokenise([prompts[i] for i in order[start : start + _TEXT_BATCH]])
            # Columns that are padding in every row change nothing but the time.
            used = (
                int((tokens != 0).any(dim=0).nonzero().max()) + 1 if self._pads_with_zero else None
            )
            with torch.inference_mode():
                parts.append(self.model.encode_text(tokens[:, :used].to(self.device)).float().cpu())
        rows = torch.cat(parts).clone()
        return torch.empty_like(rows).index_copy_(0, torch.tensor(order), rows)

    @property
    def _pads_with_zero(self) -> bool:
        """Whether the text tower masks padding (so that trimming it is exact)."""
        return getattr(getattr(self.model, "text", None), "pooler", None) is not None


def space_id(name: str, settings: "Settings") -> str:
    """Return the id of a reference's embedding space without loading the model.

    For ``mini`` it changes whenever the trained head does.

    Raises:
        UnknownNameError: no reference is called so.
        WeightsUnavailableError: the trained head is missing.
    """
    from sing_core.mini.assemble import head_path

    if find_reference(name, settings) is None:
        raise UnknownNameError(f"No image-text reference is called “{name[:80]}”.")
    try:
        payload = head_path(settings).read_bytes()
    except OSError as error:
        raise WeightsUnavailableError(
            f"The trained head of {name} is missing: {head_path(settings).name} was looked for "
            "under assets/mini."
        ) from error
    return f"{name}-{hashlib.sha256(payload).hexdigest()[:16]}"


def load_reference(name: str, settings: "Settings") -> Reference:
    """Load a reference of the registry through open_clip, from disk alone.

    Raises:
        UnknownNameError: no reference is called so.
        WeightsUnavailableError: its weights are missing or tampered with.
    """
    identity = space_id(name, settings)
    import open_clip

    from sing_core.mini.assemble import assemble

    settings.prepare_threads()
    source = f"local-dir:{assemble(settings).reference}"
    model, _, preprocess = open_clip.create_model_and_transforms(
        source, device=settings.torch_device
    )
    model = model.eval().requires_grad_(False)
    tokenise = open_clip.get_tokenizer(source)
    return Reference(name, identity, model, preprocess, tokenise, settings.torch_device)
