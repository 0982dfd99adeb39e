"""Where torch computes: the device that is asked for, confirmed, and its number of threads."""

from typing import TYPE_CHECKING

from sing_core.errors import NoDeviceError

if TYPE_CHECKING:
    from sing_core.settings import Settings


def torch_device(settings: "Settings") -> str:
    """Return ``cuda`` or ``cpu``; ``auto`` is settled here and nowhere else.

    Raises:
        NoDeviceError: ``cuda`` is asked for, and there is none.
    """
    if settings.device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if settings.device == "cuda":
        raise NoDeviceError(
            "SING_DEVICE is cuda, and PyTorch finds no CUDA device: the NVIDIA driver is "
            "missing, or this PyTorch was built without CUDA. Set SING_DEVICE to auto or cpu."
        )
    return "cpu"


def prepare_torch(settings: "Settings") -> None:
    """Confirm the device asked for and give torch its number of CPU threads, if any was set.

    Raises:
        NoDeviceError: ``cuda`` is asked for, and there is none.
    """
    if settings.device == "cuda":
        torch_device(settings)
    if settings.threads is not None:
        import torch

        torch.set_num_threads(settings.threads)
