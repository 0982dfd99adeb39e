"""What stands in front? The foreground of a photo, by token maps alone."""

import streamlit as st
import torch
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from pages._view import exports
from pages._view.units import asks, pictures, scene
from pages._view.units.scene import OWN, Asked
from pages._view.words.phrases import in_words
from sing_core.files.images import picture_url, thumbnail
from sing_core.units.tokens import as_picture

_SHOWN_PX = 480
_HOW = (
    "The token map of the classes that are read, as likely as they are held to be, less that of "
    "the average class; with tokens twice as fine as the network was trained on. What exceeds the "
    "map’s mean is foreground. No mask was ever trained on."
)

choose = scene.pick


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Compute and draw the foreground of a photo.

    Raises:
        SingError: see ``asks.foreground_of``.
    """
    with st.spinner("Looking at the photo in finer tokens…"):
        found = asks.foreground_of(asked)
    small = thumbnail(asked.photo.image, _SHOWN_PX)
    smooth, threshold = found.picture(small.size)
    front = smooth > threshold
    share = float(front.double().mean())
    answer.markdown(
        f"**{100 * share:.0f} % of the photo stands in front: the network reads "
        f"“{in_words(found.label)}”.**"
    )
    left, right = st.columns(2)
    colour = picture_url(_cut(small, front))
    pictures.show(left, colour, "What stands in front, in colour", "stretch")
    pictures.show(
        right,
        picture_url(as_picture(smooth).convert("RGB")),
        f"The map: light speaks for the classes that are read; cut at {threshold:.2f}",
        "stretch",
    )
    rows = [{"label": found.label, "threshold": threshold, "share": share}]
    st.dataframe(
        rows, hide_index=True, key="units.front_table",
        column_config={
            "label": "class that is read",
            "threshold": st.column_config.NumberColumn("cut at", format="%.3f"),
            "share": st.column_config.NumberColumn("in front", format="percent"),
        },
    )  # fmt: skip
    st.caption(f"{_HOW} In the command, {scene.FILE} stands for the photo’s file.")
    exports.offer_table("units.front", rows, _command(asked))


def _cut(photo: Image.Image, front: torch.Tensor) -> Image.Image:
    raw = torch.frombuffer(bytearray(photo.convert("RGB").tobytes()), dtype=torch.uint8)
    pixels = raw.reshape(photo.height, photo.width, 3).permute(2, 0, 1).float() / 255
    return pictures.cut_out(pixels, front)


def _command(asked: Asked) -> str:
    reference = "" if asked.reference == OWN else f" --reference {asked.reference}"
    model = asked.model or "''"
    return f"python -m sing_core segment {scene.FILE} --out masks --model {model}{reference}"
