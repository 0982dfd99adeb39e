"""The sentences the image head is trained on: class prompts and attribute paraphrases.

An attribute group is a small set of alternatives ("grey" or "colour"); each value has several
phrasings, and each phrasing is put into several templates. The ``HELD_OUT`` ones never enter
training: the probes of ``measure`` are reported on both.
"""

from dataclasses import dataclass

from sing_core.models.prompts import CLASS_TEMPLATE

CLASS_TEMPLATES: tuple[str, ...] = (
    CLASS_TEMPLATE,
    "an image of an {}",
    "an image of {}",
    "a photo of a {}",
    "a photo of an {}",
    "a photograph of a {}",
    "a picture of a {}",
    "a {}",
    "{}",
    "a photo of the {}",
)


@dataclass(frozen=True, slots=True)
class Value:
    """One alternative of an attribute group.

    Attributes:
        name: key used in views and measures.
        adjectives: words that fit ``ADJECTIVE_TEMPLATES`` ("blurry").
        sentences: whole prompts that fit no template.
        held_out: whole prompts used only to measure.
    """

    name: str
    adjectives: tuple[str, ...]
    sentences: tuple[str, ...]
    held_out: tuple[str, ...]


ADJECTIVE_TEMPLATES: tuple[str, ...] = (
    "a {} photo",
    "a {} image",
    "a {} picture",
    "an image that is {}",
    "a photo that is {}",
    "{}",
    "an image of something {}",
    "this photo is {}",
)

_COLOUR_TEMPLATES: tuple[str, ...] = (
    "something {}",
    "a {} thing",
    "a {} object",
    "a photo of something {}",
    "the colour {}",
    "the color {}",
    "a {} tinted photo",
    "a photo with a {} tint",
    "an image in {} tones",
    "an image of a {} thing",
    "everything is {}",
)


def _colour(name: str, *synonyms: str) -> Value:
    words = (name, *synonyms)
    sentences = tuple(t.format(w) for t in _COLOUR_TEMPLATES for w in words)
    held_out = (f"a {name} coloured photo", f"mostly {name}", f"a scene in {name} light")
    return Value(name, words, sentences, held_out)


COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")

GROUPS: dict[str, tuple[Value, ...]] = {
    "grey": (
        Value(
            "grey",
            ("black and white", "black-and-white", "grayscale", "greyscale", "monochrome", "gray"),
            (
                "a photo in black and white",
                "a grey photo",
                "a photo in shades of grey",
                "a gray scale image",
                "an old black and white photograph",
            ),
            (
                "a colourless picture",
                "a desaturated photograph",
                "a photograph taken in black and white",
            ),
        ),
        Value(
            "colour",
            ("color", "colour", "colorful", "colourful", "full color", "coloured", "colored"),
            (
                "a photo in color",
                "a photo in colour",
                "an image with colours",
                "a photo with natural colors",
                "an image full of color",
                "a color photograph",
            ),
            (
                "a vividly coloured picture",
                "a saturated photograph",
                "a photograph taken in colour",
                "a picture with lots of color",
            ),
        ),
    ),
    "blur": (
        Value(
            "blurred",
            ("blurry", "blurred", "out of focus", "out-of-focus", "unsharp", "fuzzy", "soft focus"),
            (
                "a photo with motion blur",
                "a low resolution photo",
                "a photo without details",
            ),
            ("a defocused photograph", "a smeared, unclear picture", "the camera was out of focus"),
        ),
        Value(
            "sharp",
            ("sharp", "in focus", "crisp", "clear", "detailed", "high resolution", "well focused"),
            (
                "a photo in sharp focus",
                "an image with fine details",
                "a photo with crisp edges",
            ),
            (
                "a focused photograph",
                "a crisp, clear picture",
                "the camera was perfectly in focus",
            ),
        ),
    ),
    "light": (
        Value(
            "dark",
            ("dark", "underexposed", "dim", "gloomy", "poorly lit", "very dark", "low-light"),
            (
                "a photo taken at night",
                "a photo in the dark",
                "a photo taken in low light",
                "an image with little light",
                "darkness",
            ),
            ("a murky, badly lit picture", "a black night scene", "a photograph with deep shadows"),
        ),
        Value(
            "bright",
            ("bright", "overexposed", "well lit", "luminous", "brightly lit", "very bright"),
            (
                "a photo in bright light",
                "a photo taken in bright sunlight",
                "an image with a lot of light",
                "a light photo",
                "brightness",
            ),
            (
                "a dazzling, brilliantly lit picture",
                "a sunny day scene",
                "a photograph washed out by light",
            ),
        ),
    ),
    "distance": (
        Value(
            "close",
            ("close-up", "closeup", "zoomed in", "close up", "tightly cropped"),
            (
                "a close-up of something",
                "a close-up photo of something",
                "a photo taken from up close",
                "a photo of something seen from very near",
                "a macro photo",
                "something near the camera",
                "an image that fills the frame",
            ),
            ("an extreme close-up view", "a detail seen from nearby", "a large object up close"),
        ),
        Value(
            "far",
            ("far away", "distant", "zoomed out", "faraway"),
            (
                "a photo of something from far away",
                "a photo of something far away",
                "a photo taken from a distance",
                "something small in the distance",
                "a small object in the frame",
                "an image of a distant object",
                "a wide shot of something far off",
                "a tiny thing seen from afar",
            ),
            ("a remote view", "a thing seen from a long way off", "a small object a long way away"),
        ),
    ),
    "tint": (
        _colour("red", "crimson", "scarlet"),
        _colour("orange"),
        _colour("yellow", "golden"),
        _colour("green"),
        _colour("blue"),
        _colour("purple", "violet"),
        _colour("pink"),
        _colour("brown"),
        _colour("cyan", "turquoise", "teal"),
        _colour("white"),
        _colour("black"),
        _colour("gray", "grey"),
    ),
    "style": (
        Value(
            "noisy",
            ("noisy", "grainy", "speckled"),
            ("a photo with a lot of noise", "a photo with film grain"),
            ("a picture full of grain",),
        ),
        Value(
            "pixelated",
            ("pixelated", "blocky"),
            ("an image made of big pixels", "pixel art", "a mosaic image"),
            ("a picture in coarse pixels",),
        ),
        Value(
            "upside down",
            ("upside down", "upside-down", "inverted vertically", "flipped over"),
            ("an image turned on its head",),
            ("a picture hung the wrong way up",),
        ),
        Value(
            "sideways",
            ("sideways", "rotated"),
            ("a photo rotated by ninety degrees", "a photo lying on its side"),
            ("a picture turned sideways",),
        ),
        Value(
            "sepia",
            ("sepia", "sepia-toned", "vintage", "old-fashioned"),
            ("an old photograph in sepia", "an antique photo"),
            ("a photograph from long ago in sepia tones",),
        ),
        Value(
            "faded",
            ("faded", "washed out", "low contrast", "hazy", "foggy"),
            ("a photo taken in fog", "an image with little contrast"),
            ("a misty, pale picture",),
        ),
        Value(
            "negative",
            ("negative", "color-inverted", "colour-inverted"),
            ("a photographic negative", "an image with inverted colors"),
            ("a film negative",),
        ),
        Value(
            "drawing",
            ("drawn", "sketched", "hand-drawn"),
            ("a pencil drawing", "a line drawing", "a sketch", "a drawing of something"),
            ("a picture drawn with a pencil",),
        ),
        Value(
            "plain",
            ("normal", "natural", "ordinary"),
            ("a photo", "an ordinary photo", "a photograph", "a realistic photo"),
            ("an everyday photograph",),
        ),
    ),
}


def training_prompts(group: str, value: Value) -> list[str]:
    """Return every training prompt of ``value``; longer templates only where they read well."""
    templated = [t.format(a) for t in ADJECTIVE_TEMPLATES for a in value.adjectives]
    return [*templated, *value.sentences]


def class_prompts(names: list[str], template: str) -> list[str]:
    """Return ``template`` filled with each of ``names``."""
    return [template.format(name) for name in names]
