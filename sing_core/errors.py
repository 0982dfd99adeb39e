"""Everything that can go wrong, in words for the person who uses the app.

Pages catch ``SingError`` alone: its message is shown as it stands. Programming errors stay
built-in exceptions and keep their traceback.
"""


class SingError(Exception):
    """Base class; the message is one or more whole sentences written for the user."""


class ShapeError(SingError, ValueError):
    """An array does not have the shape that the operation needs."""


class HeadError(SingError, ValueError):
    """A classifier head cannot be decomposed, or does not reproduce the network's logits."""


class ZeroVectorError(SingError, ValueError):
    """An angle was asked of a vector of length zero or of one that is not finite."""


class LogitDriftError(SingError):
    """An "equivalent" pair moved the logits by more than rounding explains."""


class RoundingDriftError(LogitDriftError):
    """A step inside the null space is so long that float32 rounding alone moves the logits."""


class TranslatorMismatchError(SingError):
    """A translator belongs to another model, other weights or another image-text space."""


class ReferenceMismatchError(SingError):
    """An image-text reference's architecture and weights do not belong together."""


class TranslatorFileError(SingError):
    """A translator file that somebody else published cannot be taken over."""


class StaleArtefactError(SingError):
    """A stored file is not what its manifest says: tampered with, truncated, another version."""


class UnsupportedImageError(SingError):
    """An image file cannot be used."""


class PromptError(SingError, ValueError):
    """A prompt is empty, too long, or has nothing that can be read."""


class WeightsUnavailableError(SingError):
    """Weights are missing or not the pinned ones; the message says which file was looked for."""


class NoSuchFileError(WeightsUnavailableError):
    """A repository of the model hub is there, and has no file of that name."""


class UnknownNameError(SingError, KeyError):
    """A model, reference or sample of this name is not known."""

    def __str__(self) -> str:
        """Return the sentence itself (``KeyError`` would quote it)."""
        return str(self.args[0]) if self.args else ""


class NoDeviceError(SingError):
    """The device that the settings ask for is not there."""


class OptionalDependencyError(SingError):
    """A feature needs a package that is not installed."""


class RenderError(SingError, ValueError):
    """A picture was asked for in a way that this renderer cannot draw."""


class RenderCancelledError(SingError):
    """A rendering was stopped before it was complete; nothing of it is kept."""


class DeviceMemoryError(SingError):
    """The device has too little memory even for one picture at a time."""


class ImageSetError(SingError):
    """A set of images, or one image of it, cannot be used; the message says why."""


class TextListError(SingError, ValueError):
    """A file of names cannot be read as a list; the message says why."""


class TypedPathError(SingError, ValueError):
    """A path that a visitor typed may not be followed on this server."""


class ConceptListError(SingError, ValueError):
    """A list of concepts cannot be used; the message says why."""


class SceneError(SingError, ValueError):
    """A scene of a talk, or its file, cannot be used; the message says why."""


class UnitsError(SingError):
    """A network cannot be taken apart into units that add up to its output."""
