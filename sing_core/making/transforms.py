"""Ways to give a photograph an attribute: grey, blurred, dark, far, red and the like.

Every function takes an RGB picture and a ``numpy`` generator and returns a new RGB picture; kind
and strength are drawn from wide ranges so that no single recipe is learnt.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

Transform = Callable[[Image.Image, Generator], Image.Image]

COLOUR_RGB: dict[str, tuple[tuple[int, int, int], ...]] = {
    "red": ((255, 0, 0), (220, 20, 40), (200, 30, 20)),
    "orange": ((255, 140, 0), (255, 128, 0), (255, 165, 0)),
    "yellow": ((255, 255, 0), (250, 220, 20), (255, 230, 0)),
    "green": ((0, 255, 0), (0, 128, 0), (40, 180, 40)),
    "blue": ((0, 0, 255), (30, 60, 220), (30, 100, 255)),
    "purple": ((128, 0, 128), (150, 0, 200), (110, 30, 160)),
    "pink": ((255, 105, 180), (255, 150, 200), (255, 192, 203)),
    "brown": ((139, 69, 19), (120, 70, 30), (150, 90, 40)),
    "cyan": ((0, 255, 255), (0, 200, 200), (64, 224, 208)),
    "white": ((255, 255, 255), (245, 245, 245), (250, 250, 250)),
    "black": ((0, 0, 0), (15, 15, 15), (5, 5, 5)),
    "gray": ((128, 128, 128), (110, 110, 110), (150, 150, 150)),
}


def _scale(image: Image.Image, factor: float, gamma: float = 1.0, lift: float = 0.0) -> Image.Image:
    levels = np.arange(256) / 255
    table = np.clip((levels**gamma * factor * (1 - lift) + lift) * 255, 0, 255).round()
    return image.point([int(v) for v in table] * 3)


def _array(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=np.float32)


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values, 0, 255).round().astype(np.uint8), "RGB")


def grey(image: Image.Image, rng: Generator) -> Image.Image:
    """Remove all colour: luma, mean of channels, one channel, or desaturation."""
    kind = rng.integers(4)
    if kind == 0:
        flat = image.convert("L")
    elif kind == 1:
        flat = _picture(np.repeat(_array(image).mean(2, keepdims=True), 3, 2)).convert("L")
    elif kind == 2:
        flat = image.getchannel(int(rng.integers(3)))
    else:
        flat = ImageOps.autocontrast(image.convert("L"))
    return flat.convert("RGB")


def colour(image: Image.Image, rng: Generator) -> Image.Image:
    """Keep or strengthen the colours of the photograph."""
    return ImageEnhance.Color(image).enhance(float(rng.uniform(1.0, 2.0)))


def blurred(image: Image.Image, rng: Generator) -> Image.Image:
    """Blur by gaussian, box, down- and upsampling, or motion; strength relative to the side."""
    side = min(image.size)
    kind = rng.integers(5)
    if kind <= 1:
        return image.filter(ImageFilter.GaussianBlur(side * float(rng.uniform(0.009, 0.04))))
    if kind == 2:
        return image.filter(ImageFilter.BoxBlur(side * float(rng.uniform(0.012, 0.045))))
    if kind == 3:
        factor = float(rng.uniform(5, 12)) * side / 256
        small = (max(6, round(image.width / factor)), max(6, round(image.height / factor)))
        back = Image.Resampling.BICUBIC if rng.random() < 0.5 else Image.Resampling.BILINEAR
        return image.resize(small, Image.Resampling.BOX).resize(image.size, back)
    steps = max(3, round(side * float(rng.uniform(0.03, 0.1))))
    angle = float(rng.uniform(0, np.pi))
    total = np.zeros_like(_array(image))
    for step in np.linspace(-steps / 2, steps / 2, steps):
        dx, dy = round(step * np.cos(angle)), round(step * np.sin(angle))
        total += _array(ImageChops.offset(image, dx, dy))
    return _picture(total / steps)


def sharp(image: Image.Image, rng: Generator) -> Image.Image:
    """Keep the photograph as it is or sharpen it a little."""
    if rng.random() < 0.6:
        return image
    return image.filter(ImageFilter.UnsharpMask(2, int(rng.integers(50, 130)), 2))


def dark(image: Image.Image, rng: Generator) -> Image.Image:
    """Darken by scale, gamma or both."""
    kind = rng.integers(3)
    if kind == 0:
        return _scale(image, float(rng.uniform(0.12, 0.5)))
    if kind == 1:
        return _scale(image, 1.0, gamma=float(rng.uniform(2.0, 4.5)))
    return _scale(image, float(rng.uniform(0.4, 0.8)), gamma=float(rng.uniform(1.4, 2.5)))


def bright(image: Image.Image, rng: Generator) -> Image.Image:
    """Brighten by scale, gamma or a lift towards white."""
    kind = rng.integers(3)
    if kind == 0:
        return _scale(image, float(rng.uniform(1.5, 3.0)))
    if kind == 1:
        return _scale(image, 1.0, gamma=float(rng.uniform(0.25, 0.6)))
    return _scale(image, float(rng.uniform(1.0, 1.4)), lift=float(rng.uniform(0.25, 0.6)))


def close(image: Image.Image, rng: Generator) -> Image.Image:
    """Cut a tight window, near the middle, and enlarge it to the picture's short side."""
    side = min(image.size)
    window = side * float(rng.uniform(0.2, 0.5))
    left = (image.width - window) * float(rng.uniform(0.3, 0.7))
    top = (image.height - window) * float(rng.uniform(0.3, 0.7))
    box = (left, top, left + window, top + window)
    return image.resize((side, side), Image.Resampling.BICUBIC, box=box)


def far(image: Image.Image, rng: Generator) -> Image.Image:
    """Shrink the picture onto a canvas: flat, blurred, reflected or of noise."""
    factor = float(rng.uniform(0.15, 0.45))
    size = (max(8, round(image.width * factor)), max(8, round(image.height * factor)))
    small = image.resize(size, Image.Resampling.LANCZOS)
    canvas = _canvas(image, small, rng)
    spread = float(rng.uniform(0.0, 0.35))
    middle = ((image.width - size[0]) / 2, (image.height - size[1]) / 2)
    shift = rng.uniform(-spread, spread, 2)
    canvas.paste(small, (round(middle[0] * (1 + shift[0])), round(middle[1] * (1 + shift[1]))))
    return canvas


def _canvas(image: Image.Image, small: Image.Image, rng: Generator) -> Image.Image:
    kind = rng.integers(6)
    if kind <= 1:
        shade = int(rng.choice([0, 64, 127, 128, 200, 255]))
        return Image.new("RGB", image.size, (shade,) * 3)
    if kind == 2:
        red, green, blue = _array(image).mean((0, 1)).round().astype(int).tolist()
        return Image.new("RGB", image.size, (red, green, blue))
    if kind == 3:
        return image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.12))
    if kind == 4:
        pad_x, pad_y = (image.width - small.width) // 2 + 1, (image.height - small.height) // 2 + 1
        tiled = np.pad(np.asarray(small), ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), "symmetric")
        return Image.fromarray(tiled[: image.height, : image.width]).filter(
            ImageFilter.GaussianBlur(float(rng.uniform(0, 6)))
        )
    noise = rng.normal(float(rng.uniform(60, 190)), 25, (image.height, image.width, 3))
    return _picture(noise).filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 4))))


def tint(image: Image.Image, rng: Generator, name: str) -> Image.Image:
    """Give the whole picture the colour ``name``: multiply, blend, colourise or set the hue."""
    choices = COLOUR_RGB[name]
    rgb = choices[int(rng.integers(len(choices)))]
    flat = Image.new("RGB", image.size, rgb)
    kind = rng.integers(4)
    if kind == 0 and name not in ("white", "black"):
        mixed = ImageChops.multiply(image, flat)
        return Image.blend(image, mixed, float(rng.uniform(0.7, 1.0)))
    if kind == 1 and name not in ("white", "black"):
        return ImageOps.colorize(image.convert("L"), "black", "white", mid=rgb)
    if kind == 2 and name not in ("white", "black", "gray", "brown", "pink"):
        hue, saturation, _ = np.asarray(Image.new("RGB", (1, 1), rgb).convert("HSV"))[0, 0].tolist()
        _, _, value = image.convert("HSV").split()
        level = int(saturation * float(rng.uniform(0.5, 1.0)))
        hues = (Image.new("L", image.size, hue), Image.new("L", image.size, level), value)
        return Image.merge("HSV", hues).convert("RGB")
    low = 0.6 if name in ("white", "black", "gray") else 0.3
    return Image.blend(image, flat, float(rng.uniform(low, 0.75)))


def style(image: Image.Image, rng: Generator, name: str) -> Image.Image:
    """Apply one of the photo styles of the group ``style``."""
    return _STYLES[name](image, rng)


def _noisy(image: Image.Image, rng: Generator) -> Image.Image:
    values = _array(image)
    return _picture(values + rng.normal(0, float(rng.uniform(25, 70)), values.shape))


def _pixelated(image: Image.Image, rng: Generator) -> Image.Image:
    cells = int(rng.integers(14, 40))
    small = image.resize((cells, max(4, round(cells * image.height / image.width))))
    return small.resize(image.size, Image.Resampling.NEAREST)


def _sideways(image: Image.Image, rng: Generator) -> Image.Image:
    turn = Image.Transpose.ROTATE_90 if rng.random() < 0.5 else Image.Transpose.ROTATE_270
    return image.transpose(turn)


def _sepia(image: Image.Image, rng: Generator) -> Image.Image:
    toned = ImageOps.colorize(image.convert("L"), (30, 18, 5), (255, 240, 200), mid=(150, 110, 70))
    return Image.blend(image, toned, float(rng.uniform(0.8, 1.0)))


def _faded(image: Image.Image, rng: Generator) -> Image.Image:
    haze = Image.new("RGB", image.size, (int(rng.integers(150, 230)),) * 3)
    return Image.blend(image, haze, float(rng.uniform(0.5, 0.75)))


def _drawing(image: Image.Image, rng: Generator) -> Image.Image:
    edges = image.convert("L").filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.5))))
    return ImageOps.autocontrast(ImageOps.invert(edges.filter(ImageFilter.FIND_EDGES))).convert(
        "RGB"
    )


_STYLES: dict[str, Transform] = {
    "noisy": _noisy,
    "pixelated": _pixelated,
    "upside down": lambda image, _: ImageOps.flip(image),
    "sideways": _sideways,
    "sepia": _sepia,
    "faded": _faded,
    "negative": lambda image, _: ImageOps.invert(image),
    "drawing": _drawing,
    "plain": lambda image, _: image,
}

_SIMPLE: dict[str, Transform] = {
    "grey": grey,
    "colour": colour,
    "blurred": blurred,
    "sharp": sharp,
    "dark": dark,
    "bright": bright,
    "close": close,
    "far": far,
}


def apply(image: Image.Image, group: str, value: str, rng: Generator) -> Image.Image:
    """Return ``image`` with the attribute ``value`` of ``group`` given to it."""
    if group == "tint":
        return tint(image, rng, value)
    if group == "style":
        return style(image, rng, value)
    return _SIMPLE[value](image, rng)
