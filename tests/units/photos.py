"""The photo that the tests of units take apart."""

from io import BytesIO

from PIL import Image

from sing_core.files.samples import sample_bytes


def photo() -> Image.Image:
    """Return the cat."""
    return Image.open(BytesIO(sample_bytes("chelsea"))).convert("RGB")
