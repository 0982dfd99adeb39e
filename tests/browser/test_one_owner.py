"""Whatever a person does and however fast: page, URL and report agree, the newest wish stands."""

import logging
import os
import time

import pytest

from tests.browser.conftest import OpenExplore
from tests.browser.wanderer import Wanderer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOGGER = logging.getLogger(__name__)
STEPS = int(os.environ.get("SING_TEST_STEPS", "300"))


@pytest.mark.timeout(7_200)
def test_page_url_and_report_agree_after_any_sequence_of_actions(explore: OpenExplore) -> None:
    steps, seed, start = STEPS, 0, time.monotonic()
    while steps > 0:
        wanderer = Wanderer(explore(), seed)
        for _ in range(min(50, steps)):
            wanderer.act()
        wanderer.check()
        steps, seed = steps - 50, seed + 1
    LOGGER.info("%d steps in %.0f s", STEPS, time.monotonic() - start)
