"""Where the labels of a network stand: beside their points, and never one upon another."""

from collections.abc import Sequence
from typing import NamedTuple

CHAR_PX, LINE_PX, GAP_PX = 6.6, 15.0, 3.0
# The plot as narrow as it is beside a grid of pictures; in a wider one all lies farther apart.
WIDTH_PX, HEIGHT_PX = 560.0, 420.0
_POSITIONS = {
    "top center": (-0.5, -1.0),
    "bottom center": (-0.5, 0.0),
    "middle right": (0.0, -0.5),
    "middle left": (-1.0, -0.5),
    "top right": (0.0, -1.0),
    "top left": (-1.0, -1.0),
    "bottom right": (0.0, 0.0),
    "bottom left": (-1.0, 0.0),
}


class Box(NamedTuple):
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Return whether the two have a point in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def label_positions(
    places: Sequence[tuple[float, float]], labels: Sequence[str], radii: Sequence[float]
) -> list[str | None]:
    """Return on which side of its point each label stands; None where there is room on no side.

    ``places`` in any unit, ``radii`` of the points in pixels; who comes first chooses first.
    """
    points = pixels(places)
    marks = [_around(point, radius) for point, radius in zip(points, radii, strict=True)]
    placed: list[Box] = []
    found: list[str | None] = []
    for at, label in enumerate(labels):
        taken = [*placed, *(mark for other, mark in enumerate(marks) if other != at)]
        position = next(
            (
                name
                for name in _POSITIONS
                if not any(label_box(points[at], radii[at], label, name).meets(b) for b in taken)
            ),
            None,
        )
        if position is not None:
            placed.append(label_box(points[at], radii[at], label, position))
        found.append(position)
    return found


def pixels(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return where points lie in the narrowest plot, both axes to one scale."""
    xs, ys = [x for x, _ in places], [y for _, y in places]
    wide, high = (max(max(one) - min(one), 1e-9) for one in (xs, ys))
    scale = min(WIDTH_PX / wide, HEIGHT_PX / high)
    return [((x - min(xs)) * scale, (max(ys) - y) * scale) for x, y in places]


def label_box(point: tuple[float, float], radius: float, label: str, position: str) -> Box:
    """Return the rectangle of a label on one side of its point."""
    across, down = _POSITIONS[position]
    width, reach = CHAR_PX * len(label), radius + GAP_PX
    x = point[0] + {-0.5: 0.0, 0.0: reach, -1.0: -reach}[across] + across * width
    y = point[1] + {-0.5: 0.0, 0.0: reach, -1.0: -reach}[down] + down * LINE_PX
    return Box(x, y, x + width, y + LINE_PX)


def _around(point: tuple[float, float], radius: float) -> Box:
    x, y = point
    return Box(x - radius, y - radius, x + radius, y + radius)
