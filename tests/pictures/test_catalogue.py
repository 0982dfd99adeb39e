"""The one table of renderers: what the settings and the page offer is what it lists."""

import typing

import pytest

from pages._view.explore import renders
from sing_core.errors import UnknownNameError
from sing_core.pictures.catalogue import (
    DRAWN,
    INVERSION,
    KARLO,
    NEIGHBOURS,
    OFF,
    RENDERERS,
    find_renderer,
)
from sing_core.pictures.inversion.drawn import DrawnRenderer
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.karlo.renderer import KarloRenderer
from sing_core.pictures.neighbours import NeighboursRenderer
from sing_core.settings import Settings


def test_the_settings_the_page_and_the_renderers_have_the_names_of_the_table():
    named = {entry.name for entry in RENDERERS} | {OFF}
    assert set(typing.get_args(Settings.model_fields["renderer"].annotation)) == named
    assert set(renders._RENDERERS) == named
    kinds = {
        InversionRenderer: INVERSION.name,
        DrawnRenderer: DRAWN.name,
        NeighboursRenderer: NEIGHBOURS.name,
        KarloRenderer: KARLO.name,
    }
    assert {kind: kind.__dataclass_fields__["name"].default for kind in kinds} == kinds


def test_what_a_renderer_lacks_is_said_and_an_unknown_one_lists_the_known(tmp_path):
    settings = Settings(karlo_dir=tmp_path, cache_dir=tmp_path)
    assert INVERSION.why_missing(settings) is None
    assert KARLO.why_missing(settings)
    assert "no prepared set" in NEIGHBOURS.why_missing(settings)
    assert find_renderer("karlo") is KARLO
    with pytest.raises(UnknownNameError, match=r"There are: inversion, drawn, neighbours, karlo\."):
        find_renderer("off")
