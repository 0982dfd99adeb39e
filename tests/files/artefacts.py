"""Small artefacts to store, and what is left of them."""

import hashlib

import torch

from sing_core.files.store import Store

META = {"model": "tf_efficientnet_lite0", "weights": "0123"}


def basis() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "null_basis": torch.randn(20, 4, generator=generator, dtype=torch.float64).mT,
        "rank": torch.tensor(16),
    }


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype
        and left[name].shape == right[name].shape
        and left[name].contiguous().numpy().tobytes() == right[name].contiguous().numpy().tobytes()
        for name in left
    )


def digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def kept(store: Store, photos: list[bytes]) -> list[bool]:
    return [store.load_blob("photos", digest(photo)) is not None for photo in photos]
