"""The data that lie beside the repository, never in it: where they are, and what without them."""

import os
from pathlib import Path

import pytest
from timm.data import ImageNetInfo

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def shared(name):
    """Return ``../shared/data/<name>``; without it skip, or fail where ``CI`` is set."""
    path = SHARED / name
    if not path.exists():
        reason = f"The shared data are not beside the repository: ../shared/data/{name}."
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return path


def case(name):
    """Return ``../shared/cases/<name>``; without it skip, or fail where ``CI`` is set."""
    return shared(f"../cases/{name}")


def reference_photos():
    """Return ``(path, ImageNet-1k class index)`` of the authors' four sample photos."""
    wnids = ImageNetInfo().label_names()
    found = sorted(shared("sing_reference/samples").glob("*.jpeg"))
    return [(path, wnids.index(path.stem.rsplit("_", 1)[1])) for path in found]
