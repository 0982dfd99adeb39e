"""Recorded pictures in the scene's squares: at once, for exactly what is asked, and said to be so.

On a busy machine the first pictures take minutes. A scene of a talk that asks the same has its own.
"""

from pages._view import loaders
from pages._view.explore import picture_views
from pages._view.explore.question import Asked
from sing_core.errors import SingError
from sing_core.files.images import Photo
from sing_core.studies.reports import ImageReport
from sing_core.talk.recalled import RecalledPicture, recalled
from sing_core.talk.scene import Drawn

NOTE = (
    "Until the two pictures of this step are drawn, the squares show pictures that were recorded "
    "earlier of this very question, and say at which image score."
)


def frames(
    asked: Asked, report: ImageReport, renderer: str, drawn: Drawn, seed: int
) -> list[dict[str, object]]:
    """Return recorded pictures as the scene takes its frames; none where nothing fits exactly."""
    if not isinstance(asked.photo, Photo):
        return []  # what is drawn of a stored feature starts from no photo
    try:
        found = recalled(loaders.studio(), report, renderer, drawn, seed)
    except SingError:
        return []  # the rendering meets the same error, and the drawer says it
    return [{"index": one.index, "src": one.src, "badge": _badge(one, drawn)} for one in found]


def _badge(one: RecalledPicture, drawn: Drawn) -> str:
    """Return what a recorded picture says of itself: its faults, that it is one, of which step."""
    said = [f"recorded at IS {one.image_score_deg:.1f}°" if one.index else "recorded"]
    if drawn == "feasible" and one.index:
        said.append(picture_views.feasible_words(one.drawn_deg))
    reads_as = "" if one.agrees else one.label
    return " · ".join([*picture_views.faults(one.angle_deg, reads_as), *said])
