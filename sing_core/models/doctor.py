"""``doctor``: what works on this machine, and why something does not."""

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from sing_core.errors import SingError
from sing_core.files.store import Store
from sing_core.models import registry
from sing_core.models.device import torch_device
from sing_core.models.references import space_id

if TYPE_CHECKING:
    from sing_core.settings import Settings

Row = dict[str, Any]
_PACKAGES = ("streamlit", "plotly", "torch", "torchvision", "timm", "open_clip")


def examine(settings: "Settings") -> list[Row]:
    """Return one row ``check, ok, detail`` per thing that the product needs."""
    entries = registry.models(settings)
    rows = [_row(f"package {name}", partial(_installed, name)) for name in _PACKAGES]
    rows.append(_row("device", lambda: torch_device(settings)))
    rows.append(_row("cache folder", partial(_writable, settings)))
    rows += [
        _row(f"weights of {entry.name}", partial(_weights, entry.architecture, settings))
        for entry in entries
    ]
    for reference in registry.references(settings):
        name = reference.name
        rows.append(_row(f"reference {name}", partial(space_id, name, settings)))
        centred = registry.in_reading(name, centred=True)
        rows.append(_row(f"reference {centred}", partial(space_id, centred, settings)))
        rows += [
            _row(
                f"translator {entry.name} to {name}",
                partial(_translator, entry.name, name, settings),
            )
            for entry in entries
        ]
    return rows


def _row(check: str, probe: Callable[[], str]) -> Row:
    try:
        return {"check": check, "ok": True, "detail": probe()}
    except (SingError, OSError) as error:
        return {"check": check, "ok": False, "detail": str(error)}


def _installed(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        raise SingError(f"{name} is not installed; run `make setup`.")
    return "installed"


def _writable(settings: "Settings") -> str:
    import torch

    store = Store(settings.cache_dir)
    store.save("doctor", "probe", {"probe": torch.zeros(1)}, {})
    return str(settings.cache_dir)


def _weights(architecture: str, settings: "Settings") -> str:
    from sing_core.models.trunks import assemble_trunk

    return assemble_trunk(architecture, settings).name


def _translator(model: str, reference: str, settings: "Settings") -> str:
    from sing_core.models.pool import ModelPool
    from sing_core.models.workbench import Workbench

    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    return bench.translator(model, reference).details.get("lambda", "fitted")
