"""What the ε-scrubber shows beside the slider: target, concepts, prompt, pictures."""

import pytest

from tests.browser.conftest import OpenScrubber

pytestmark = pytest.mark.browser

WORDS_BOX = """(node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  const { left, top, right, bottom } = range.getBoundingClientRect();
  return [left, top, right, bottom];
}"""


def test_an_unreachable_image_score_is_said_and_has_no_tick(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("unreachable")
    ticks = scrubber.part("ticks").get_by_role("button")
    assert ticks.all_inner_texts() == ["0°", "10°", "20°", "21°"]
    assert scrubber.page.get_by_text("cannot reach 40° in the null space").is_visible()


def test_a_tick_goes_to_its_angle_and_lets_go_there(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.page.get_by_role("button", name="Go to IS = 10°").click()
    assert scrubber.index == 7
    assert scrubber.part("is").inner_text() == "10.0°"
    scrubber.server_says("0.7000000000000001")


@pytest.mark.parametrize(
    ("case", "within", "beyond"),
    [
        ("drifting", "the decision stands", "too large to say that the decision stands"),
        ("generous", "the decision stands", "the decision stands"),
        ("silent", "not measured", "not measured"),
    ],
)
def test_the_decision_stands_within_the_budget_that_the_server_sent(
    scrubber_page: OpenScrubber, case: str, within: str, beyond: str
) -> None:
    scrubber = scrubber_page(case)
    scrubber.slider.focus()
    for key, place, verdict in (("Home", 0, within), ("ArrowRight", 1, beyond)):
        scrubber.page.keyboard.press(key)
        assert scrubber.index == place
        said = scrubber.part("decision").inner_text()
        assert said == f"of largest logit 12.3: {verdict}"


def test_the_prompt_is_pinned_and_five_risers_and_five_fallers_follow(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    scrubber.unfold("Concepts that rise and fall")
    rows = scrubber.page.get_by_role("list", name="Concepts that rise and fall")
    rows = rows.get_by_role("listitem")
    assert rows.count() == 11
    assert rows.first.locator(".concept").inner_text() == "an image of a red fox"
    found = [text.rstrip("°") for text in rows.locator(".change").all_inner_texts()]
    changes = [float(text.replace("\N{MINUS SIGN}", "-")) for text in found]
    assert changes[1:] == sorted(changes[1:], reverse=True)
    assert changes[1] > 0 > changes[-1]
    assert len(set(rows.locator(".concept").all_inner_texts())) == 11
    assert f"{changes[0]:+.1f}°" in scrubber.part("beyond").inner_text()


def test_what_is_beyond_the_average_and_the_rank_follow_the_slider(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    for key, place, rank in (("Home", 0, "no. 40 of"), ("End", scrubber.last, "no. 14 of")):
        scrubber.page.keyboard.press(key)
        assert scrubber.index == place
        image = float(scrubber.part("is").inner_text().rstrip("°"))
        score = float(scrubber.part("as").inner_text().rstrip("°"))
        beyond = float(scrubber.part("beyond").inner_text().split("°")[0])
        assert beyond == pytest.approx(score - 0.1 * image, abs=0.11)
        assert rank in scrubber.part("rank").inner_text()


def test_the_sentence_in_plain_words_changes_with_the_slider(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.slider.focus()
    scrubber.page.keyboard.press("Home")
    assert scrubber.index == 0
    assert scrubber.part("sentence").inner_text().startswith("Nothing has moved yet")
    scrubber.page.keyboard.press("End")
    assert scrubber.index == scrubber.last
    said = scrubber.part("sentence").inner_text()
    assert "still says “Egyptian cat” (71 %)" in said
    assert "Pull the slider" not in said


@pytest.mark.parametrize("width", [1440, 390])
def test_the_slider_stays_where_it_is_while_the_sentence_above_it_changes(
    scrubber_page: OpenScrubber, width: int
) -> None:
    scrubber = scrubber_page("long", width=width)
    scrubber.slider.focus()
    places = set()
    for key in ("Home", "PageUp", "PageUp", "End"):
        scrubber.page.keyboard.press(key)
        places.add(scrubber.slider.bounding_box()["y"])
    assert len(places) == 1


@pytest.mark.parametrize("width", [1440, 390])
def test_every_tick_is_shown_and_none_lies_on_another(
    scrubber_page: OpenScrubber, width: int
) -> None:
    scrubber = scrubber_page("steep", width=width)
    ticks = scrubber.part("ticks").get_by_role("button")
    assert ticks.all_inner_texts() == ["0°", "10°", "20°", "40°", "longest step, 62°"]
    boxes = [tick.evaluate(WORDS_BOX) for tick in ticks.all()]
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= width
        for x, y, x_end, y_end in boxes[place + 1 :]:
            assert right < x or x_end < left or bottom <= y or y_end <= top


@pytest.mark.parametrize(
    ("case", "said"), [("plain", "longest step, 59°"), ("frames", "all removed, 59°")]
)
@pytest.mark.parametrize("width", [1440, 390])
def test_the_far_end_of_the_slider_says_what_it_is_and_leads_there(
    scrubber_page: OpenScrubber, case: str, said: str, width: int
) -> None:
    scrubber = scrubber_page(case, width=width)
    end = scrubber.page.get_by_role("button", name=f"Go to the end: {said}")
    box, track = end.bounding_box(), scrubber.slider.bounding_box()
    assert box["x"] + box["width"] == pytest.approx(track["x"] + track["width"], abs=1)
    end.click()
    assert scrubber.index == scrubber.last


def test_the_sentence_asks_to_pull_the_slider_until_somebody_has(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    assert "Pull the slider" in scrubber.part("sentence").inner_text()
    scrubber.page.get_by_role("button", name="Go to IS = 10°").click()
    scrubber.server_says("0.7000000000000001")
    assert "Pull the slider" not in scrubber.part("sentence").inner_text()


def test_a_question_mark_explains_the_thing_it_stands_beside(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    help_ = scrubber.part("help-as")
    assert help_.is_hidden()
    scrubber.page.get_by_role("button", name="What the attribute score is").click()
    assert help_.inner_text() == "How much nearer the equivalent is to the prompt (eq. 7)."
    scrubber.page.keyboard.press("Escape")
    assert help_.is_hidden()


@pytest.mark.parametrize("granted", [True, False])
def test_share_copies_the_link_to_what_is_shown(scrubber_page: OpenScrubber, granted: bool) -> None:
    scrubber = scrubber_page()
    rights = ["clipboard-read", "clipboard-write"] if granted else ["clipboard-read"]
    scrubber.page.context.grant_permissions(rights)
    if not granted:  # as on a page that came without a secure connection
        scrubber.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    scrubber.page.get_by_role("button", name="Share").click()
    scrubber.page.get_by_role("button", name="Link copied").wait_for()
    assert scrubber.page.evaluate("navigator.clipboard.readText()") == scrubber.page.url
    scrubber.page.get_by_role("button", name="Share").wait_for()


def test_the_length_of_the_feature_stands_with_the_curves(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page()
    scrubber.unfold("Curves of the two scores")
    assert scrubber.part("length").inner_text() == "length of this photo’s feature |f| = 15.6"
    assert scrubber.page.locator(".curve").count() == 2


def test_markup_in_the_prompt_is_shown_as_text(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("html")
    scrubber.unfold("Concepts that rise and fall")
    prompt = "<img src=x onerror=alert(1)> <b>fox</b>"
    assert scrubber.part("mode").inner_text() == f"Steering towards “{prompt}”"
    assert scrubber.page.locator(".concept").first.inner_text() == prompt
    assert scrubber.page.locator(".scrubber b, .scrubber img[src='x']").count() == 0


def test_pictures_cross_fade_between_the_two_nearest_frames(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("frames")
    over = scrubber.part("frame-over")
    assert over.is_visible()
    assert float(over.evaluate("node => node.style.opacity")) == pytest.approx(0.5)
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    scrubber.page.wait_for_timeout(100)
    assert over.evaluate("node => [node.style.opacity, node.src.includes('green')]") == ["1", True]


def test_a_picture_says_on_itself_that_it_failed(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("frames")
    badge = scrubber.part("badge-equivalent")
    assert badge.inner_text() == "not what was asked: 60°"
    assert scrubber.part("badge-feature").is_hidden()
    scrubber.slider.focus()
    scrubber.page.keyboard.press("End")
    badge.wait_for(state="hidden")


def test_a_photo_says_on_itself_what_was_done_to_its_file(scrubber_page: OpenScrubber) -> None:
    scrubber = scrubber_page("frames")
    badge, photo = (scrubber.part(name).bounding_box() for name in ("badge-photo", "photo"))
    assert scrubber.part("badge-photo").inner_text() == "The first of 3 frames is used."
    assert photo["y"] < badge["y"] < badge["y"] + badge["height"] <= photo["y"] + photo["height"]
    assert scrubber_page().part("badge-photo").is_hidden()


def test_three_equal_squares_stand_there_before_there_are_pictures(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page()
    boxes = [box.bounding_box() for box in scrubber.page.locator(".square").all()]
    assert len({(round(b["width"]), round(b["height"]), round(b["y"])) for b in boxes}) == 1
    assert scrubber.part("frame-over").is_hidden()
    assert scrubber.part("wait-equivalent").inner_text() == "drawing 44 %"
    said = [scrubber.part(f"says-{one}").inner_text() for one in ("photo", "feature", "equivalent")]
    assert said == ["Egyptian cat 71 %", "= Egyptian cat 71 %", "= Egyptian cat 71 %"]


def test_the_slider_says_how_far_a_photo_could_turn(scrubber_page: OpenScrubber) -> None:
    assert scrubber_page("frames").page.get_by_text("largest feasible turn").is_visible()
    assert scrubber_page().page.get_by_text("largest feasible turn").count() == 0


def test_on_a_phone_what_a_picture_says_takes_one_line_of_it_and_opens_by_a_touch(
    scrubber_page: OpenScrubber,
) -> None:
    scrubber = scrubber_page("frames", width=390)
    for name, said in (
        ("photo", "The first of 3 frames is used."), ("equivalent", "not what was asked: 60°"),
    ):  # fmt: skip
        badge = scrubber.part(f"badge-{name}").bounding_box()
        square = scrubber.page.locator(".square", has=scrubber.part(f"badge-{name}")).bounding_box()
        assert 24 <= badge["height"] <= square["height"] / 4
        before = scrubber.slider.bounding_box()
        scrubber.part(f"badge-{name}").click()
        assert scrubber.part(f"whole-{name}").inner_text() == said
        assert scrubber.slider.bounding_box() == before
        scrubber.page.keyboard.press("Escape")
        assert scrubber.part(f"whole-{name}").is_hidden()
