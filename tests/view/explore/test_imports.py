"""What Explore's first look waits for: none of the packages that only its drawers need."""

import subprocess
import sys

import pytest

LATER = ("timm", "sing_core.units.segmentation", "sing_core.studies.pixels")


@pytest.mark.slow
def test_the_page_does_not_wait_for_the_code_of_drawers_that_are_folded():
    program = (
        "import sys; import pages._view.explore.panels; "
        f"print([name for name in {LATER!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
