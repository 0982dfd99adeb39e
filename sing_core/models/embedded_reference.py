"""The references that ship: which tower, which trained heads, which text side.

``mini`` has the tower of EfficientNet-Lite2, ``mini-vit`` the transformer restored here. Both share
one space of texts: MiniLM under the text head of ``mini``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.maths.row_steps import widened
from sing_core.models import focus_vit
from sing_core.models.restored_vit import upper_path

if TYPE_CHECKING:
    from torch import Tensor

    from sing_core.settings import Settings

REFERENCE_TRUNK = "tf_efficientnet_lite2"
EMBED_DIM = 512
TEXT_INNER, TEXT_OUTER = "text_inner", "text_outer"
TEXT_HEAD = {  # the two layers of open_clip's "mlp"
    TEXT_INNER: ((384 + EMBED_DIM) // 2, 384),
    TEXT_OUTER: (EMBED_DIM, (384 + EMBED_DIM) // 2),
}
MAX_TOKENS = 64
IMAGE_SIZE = 260


@dataclass(frozen=True, slots=True)
class EmbeddedReference:
    """How a reference that ships is put together.

    Attributes:
        name: its name in the registry.
        trunk: timm architecture of the image tower.
        width: m, of the tower's features.
        pool: how timm pools them.
        file: of its trained heads, under ``assets/mini``.
        folder: where it is assembled, under ``cache/mini``.
        image_size: side of the square input in pixels.
        colours: mean, and spread, of every channel that the tower expects.
        tower: what timm is told beside the architecture.
        has_text_head: whether ``file`` holds the text head, too.
    """

    name: str
    trunk: str
    width: int
    pool: str
    file: str
    folder: str
    image_size: int
    colours: tuple[tuple[float, float, float], tuple[float, float, float]]
    tower: dict[str, Any] = field(default_factory=dict)
    has_text_head: bool = False

    def head_path(self, settings: "Settings") -> Path:
        """Return where its trained heads ship."""
        return settings.assets_dir / "mini" / self.file

    def trained(self, settings: "Settings") -> dict[str, Path]:
        """Return the files trained here that decide what it answers.

        Raises:
            WeightsUnavailableError: one is missing.
        """
        files = {"head": self.head_path(settings)}
        if not self.has_text_head:
            files["text"] = MINI.head_path(settings)
        if self.trunk == focus_vit.ARCHITECTURE:
            files["upper"] = upper_path(settings)
        for path in files.values():
            if not path.is_file():
                raise WeightsUnavailableError(
                    f"The trained head of {self.name} is missing: {path.name} was looked for under "
                    f"assets/{path.parent.name}; restore it from the repository or run "
                    "`python -m sing_core.making train-reference`."
                )
        return files

    def read_head(self, settings: "Settings") -> dict[str, "Tensor"]:
        """Return the tensors of its file by name, shapes checked.

        Raises:
            WeightsUnavailableError: the file is damaged, or holds something else.
        """
        shapes = {"weight": (EMBED_DIM, self.width), "bias": (EMBED_DIM,)}
        return _read(self.head_path(settings), shapes | (TEXT_HEAD if self.has_text_head else {}))

    def config(self, folder: Path) -> dict[str, Any]:
        """Return open_clip's configuration for a reference that lives in ``folder``."""
        mean, std = self.colours
        trunk = f"local-dir:{folder}/tower" if self.tower else self.trunk
        return {
            "model_cfg": {
                "embed_dim": EMBED_DIM,
                "vision_cfg": {
                    "timm_model_name": trunk,
                    "timm_model_pretrained": False,
                    "timm_pool": self.pool,
                    "timm_proj": "linear",
                    "timm_proj_bias": True,
                    "image_size": self.image_size,
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
                "mean": list(mean),
                "std": list(std),
                "interpolation": "bicubic",
                "resize_mode": "shortest",
            },
        }


MINI = EmbeddedReference(
    "mini",
    REFERENCE_TRUNK,
    1280,
    "avg",
    "head.safetensors",
    "reference",
    IMAGE_SIZE,
    ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    has_text_head=True,
)
MINI_VIT = EmbeddedReference(
    "mini-vit",
    focus_vit.ARCHITECTURE,
    384,
    "token",
    "vit_head.safetensors",
    "reference-vit",
    focus_vit.SIZE,
    ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # open_clip hands no input size on; timm reads this one in a folder of its own.
    tower={
        "architecture": focus_vit.ARCHITECTURE,
        "model_args": {"img_size": focus_vit.SIZE},
        "pretrained_cfg": {"input_size": [3, focus_vit.SIZE, focus_vit.SIZE]},
    },
)
EMBEDDED = {reference.name: reference for reference in (MINI, MINI_VIT)}


def embedded_reference(name: str) -> EmbeddedReference:
    """Return the shipped reference called ``name``.

    Raises:
        UnknownNameError: none is called so.
    """
    try:
        return EMBEDDED[name]
    except KeyError as error:
        raise UnknownNameError(f"No reference that ships is called “{name[:60]}”.") from error


def _read(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, "Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        head = {name: widened(value) for name, value in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise WeightsUnavailableError(
            f"The trained head {path.name} is damaged; restore it from the repository."
        ) from error
    if {name: tuple(value.shape) for name, value in head.items()} != shapes:
        raise WeightsUnavailableError(f"{path.name} does not hold a trained head.")
    return head
