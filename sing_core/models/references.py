"""open_clip adapter: image and text embeddings of one reference, raw (never normalised)."""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import content_key, sha256_once
from sing_core.models.device import prepare_torch, torch_device
from sing_core.models.prompt_reading import Tokenise, note_on, refuse_the_same
from sing_core.models.readings import find_centre
from sing_core.models.reference_files import (
    HUB,
    LOCAL,
    deciding_files,
    open_clip_name,
    reference_files,
)
from sing_core.models.reference_weights import built
from sing_core.models.registry import base_of, find_reference, is_centred

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
    tokenise: Tokenise
    device: str

    @property
    def memory_bytes(self) -> int:
        """What the weights take in memory."""
        held = (*self.model.parameters(), *self.model.buffers())
        return sum(value.numel() * value.element_size() for value in held)

    def embed_images(self, images: Sequence[Image.Image]) -> Tensor:
        """Return raw image embeddings ``(n, d)``, float32 on the CPU, for RGB photos."""
        return self.embed_batch(torch.stack([self.preprocess(image) for image in images]))

    def embed_batch(self, batch: Tensor) -> Tensor:
        """Return raw image embeddings ``(n, d)``, float32 on the CPU, of ``(n, 3, h, w)``.

        ``batch`` is preprocessed already.
        """
        with torch.inference_mode():
            found: Tensor = self.model.encode_image(batch.to(self.device))
        return found.float().cpu().clone()

    def embed_texts(
        self, prompts: Sequence[str], report: Callable[[int, int], object] | None = None
    ) -> Tensor:
        """Return raw text embeddings ``(n, d)``, float32 on the CPU.

        Prompts of similar length share a batch, as a batch costs what its longest prompt costs;
        the rows come back in the order of ``prompts``. ``report`` hears how many of how many are
        read.

        Raises:
            PromptError: two prompts say something else and are read the same.
        """
        refuse_the_same(self.name, self.tokenise, prompts)
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
            if report is not None:
                report(min(start + _TEXT_BATCH, len(order)), len(order))
        rows = torch.cat(parts).clone()
        return torch.empty_like(rows).index_copy_(0, torch.tensor(order), rows)

    def note_on(self, prompt: str) -> str:
        """Return what of a prompt is not read, in sentences; "" where all is."""
        return note_on(self.name, self.tokenise, prompt)

    @property
    def _pads_with_zero(self) -> bool:
        """Whether the text tower masks padding (so that trimming it is exact)."""
        return getattr(getattr(self.model, "text", None), "pooler", None) is not None


@dataclass(frozen=True, slots=True)
class NamedSpace:
    """A reference that has a name of its own: open_clip's ``architecture/weights`` and the space.

    Attributes:
        name: ``<architecture>/<pretrained tag>``.
        space_id: what renderers and translators call its embedding space.
    """

    name: str
    space_id: str


# What Karlo draws and the authors' translators lead into.
OPENAI_VIT_L14 = NamedSpace("ViT-L-14-quickgelu/openai", "openai-clip-vit-large-patch14")
# Raised when it became known that spaces of the versions before may hold embeddings of random
# weights (1), of quantised weights that were cast or at a size of which nothing was said (2): what
# was stored under them is not found again.
_FOLDER_VERSION = "3"
# What open_clip and torch raise on a file that holds something else than weights of the model.
_UNREADABLE = (
    OSError, RuntimeError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError,
    StopIteration, pickle.UnpicklingError,
)  # fmt: skip


def space_id(name: str, settings: "Settings") -> str:
    """Return the id of a reference's embedding space without loading the model.

    ``name`` is one of the registry, ``<architecture>/<weights>`` of open_clip, ``local-dir:PATH``
    or ``hf-hub:OWNER/NAME``; or one of these behind ``centred:``, which is a space of its own. For
    ``mini`` the id changes whenever the trained head does, for a local folder whenever its weights
    do, for a centred reading whenever what is taken away does.

    Raises:
        UnknownNameError: no reference is called so.
        WeightsUnavailableError: the trained head, the folder or the centre is missing.
        ReferenceMismatchError: architecture and weights do not belong together.
        StaleArtefactError: the centre is damaged.
    """
    if is_centred(name):
        base = base_of(name)
        return find_centre(base, space_id(base, settings), settings).space_id
    row = find_reference(name, settings)
    if row is not None and row.ships:
        return _space_of_embedded(name, settings)
    if name == OPENAI_VIT_L14.name:
        return OPENAI_VIT_L14.space_id
    if name.startswith(LOCAL):
        return _space_of_folder(Path(name.removeprefix(LOCAL)))
    if name.startswith(HUB):
        return f"open_clip-{name}"
    architecture, tag = open_clip_name(name)
    return f"open_clip-{architecture}-{tag}"


def _space_of_embedded(name: str, settings: "Settings") -> str:
    from sing_core.models.embedded_reference import embedded_reference

    digests = [sha256_once(path) for path in embedded_reference(name).trained(settings).values()]
    digest = digests[0] if len(digests) == 1 else content_key(*digests)
    return f"{name}-{digest[:16]}"


def _space_of_folder(folder: Path) -> str:
    digests = (sha256_once(path) for path in deciding_files(folder))
    return f"local-{content_key(_FOLDER_VERSION, *digests)[:16]}"


def load_reference(name: str, settings: "Settings") -> Reference:
    """Load a reference through open_clip, in its raw reading; one of the registry from disk alone.

    ``name`` as for ``space_id``, without a reading.

    Raises:
        UnknownNameError: no reference is called so.
        WeightsUnavailableError: its weights are missing, tampered with or cannot be fetched.
        ReferenceMismatchError: architecture and weights do not belong together.
    """
    identity = space_id(name, settings)
    from safetensors import SafetensorError

    prepare_torch(settings)
    files = reference_files(name, settings)
    try:
        model, preprocess = built(files, torch_device(settings))
        tokenise = files.make_tokeniser()
    except (*_UNREADABLE, SafetensorError) as error:
        raise WeightsUnavailableError(
            f"The reference “{name[:120]}” cannot be loaded: its weights are damaged or not those "
            "of its architecture, or its tokeniser is missing."
        ) from error
    model = model.eval().requires_grad_(False)
    return Reference(name, identity, model, preprocess, tokenise, torch_device(settings))
