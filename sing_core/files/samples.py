"""Sample photos: those that scikit-image ships inside its package, read as files."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from sing_core.errors import OptionalDependencyError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample photo.

    Attributes:
        name: short name, used in URLs.
        title: caption.
        file: file name inside scikit-image's data folder.
    """

    name: str
    title: str
    file: str


SAMPLES = (
    Sample("chelsea", "Chelsea the cat", "chelsea.png"),
    Sample("coffee", "Cup of coffee", "coffee.png"),
    Sample("motorcycle", "Motorcycle", "motorcycle_left.png"),
    Sample("rocket", "Rocket launch", "rocket.jpg"),
    Sample("astronaut", "Astronaut", "astronaut.png"),
    Sample("camera", "Camera man (grey)", "camera.png"),
)


def sample_bytes(name: str) -> bytes:
    """Return the file of a sample photo.

    Raises:
        UnknownNameError: no sample is called so.
        OptionalDependencyError: scikit-image is not installed, or lacks the file.
    """
    sample = next((entry for entry in SAMPLES if entry.name == name), None)
    if sample is None:
        raise UnknownNameError(f"No sample photo is called “{name[:80]}”.")
    # Finding the package without importing it saves its import time at start.
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise OptionalDependencyError("The sample photos come with scikit-image: install it.")
    path = Path(spec.origin).parent / "data" / sample.file
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionalDependencyError(f"scikit-image came without {sample.file}.") from error
