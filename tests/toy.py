"""A bench of real classifiers and made-up language: quick, hermetic, the same everywhere.

Classifiers and their features are the real ones. Embeddings are random vectors seeded by their
text, and translators are random matrices, so that nothing here waits for a text tower.
"""

import hashlib
import shutil
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from sing_core.files.store import Store
from sing_core.maths.centre import Centre
from sing_core.maths.translator import Translator
from sing_core.models import registry
from sing_core.models.pool import ModelPool
from sing_core.models.readings import shipped_centre_path
from sing_core.models.references import space_id
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings
from tests.shared_data import ROOT

DIM = 384
ATTRIBUTES = ("red", "blurred", "close-up")


def seeded(text, *shape):
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape)).float()


@dataclass
class ToyReference:
    """Stands in for ``clip_space.Reference``; ``asked`` lists the prompts that were embedded."""

    name: str
    space_id: str
    asked: list
    device: str = "cpu"
    dim: int = DIM

    def preprocess(self, image):
        pixels = np.asarray(image.resize((8, 8)), dtype=np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def embed_batch(self, batch):
        return batch.flatten(1) @ seeded("towards embeddings", 192, self.dim)

    def embed_texts(self, prompts, report=None):
        self.asked.extend(prompts)
        return torch.stack([seeded(prompt, self.dim) for prompt in prompts])

    def note_on(self, prompt):
        return ""

    def embed_images(self, images):
        return torch.stack(
            [seeded(f"{np.asarray(image).mean():.6f}", self.dim) for image in images]
        )


def make_assets(folder):
    """Write registry, a pretended head of ``mini``, attributes and random translators."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "assets" / "registry.toml", folder)
    for name, payload in (
        ("mini/head.safetensors", b"a head of no meaning"),
        ("mini/vit_head.safetensors", b"another head of no meaning"),
        ("vocabulary/attributes.txt", "\n".join(ATTRIBUTES).encode()),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(payload)
    shutil.copy(ROOT / "assets" / "vocabulary" / "superclasses.toml", folder / "vocabulary")
    for kind in ("denoiser", "vits"):
        shutil.copytree(ROOT / "assets" / kind, folder / kind)
    settings = Settings(assets_dir=folder)
    for into in registry.references(settings):
        means = seeded("centre of images", DIM), seeded("centre of texts", DIM) / DIM**0.5
        centre = Centre(*means, space_id(into.name, settings))
        centre.save(shipped_centre_path(settings, into.name))
    for entry, into in product(registry.models(settings), registry.references(settings)):
        translator = Translator(
            seeded(entry.name, DIM, entry.feature_dim) / 30,
            seeded(f"bias of {entry.name}", DIM) / 10,
            entry.name,
            entry.weights_digest,
            space_id(into.name, settings),
            {"lambda": "1.0"},
        )
        translator.save(folder / "translators" / f"{entry.name}--{into.name}.safetensors")
    return folder


def make_bench(settings):
    return Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
