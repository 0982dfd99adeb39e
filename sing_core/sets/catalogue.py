"""Which prepared image sets there are."""

from typing import TYPE_CHECKING

from sing_core.sets.chunks import FILE, SetFolder

if TYPE_CHECKING:
    from sing_core.settings import Settings


def image_sets(settings: "Settings") -> tuple[SetFolder, ...]:
    """Return the prepared sets: those that ship first, then those under the cache folder."""
    roots = (settings.assets_dir / "prepared", settings.cache_dir / "prepared")
    folders = [path.parent for root in roots for path in sorted(root.glob(f"*/{FILE}"))]
    return tuple(SetFolder.open(folder) for folder in folders)
