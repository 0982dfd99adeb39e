"""What is said beside pictures: what they show, and what a network could produce of it."""

PICTURE_NOTE = (
    "**Illustration, not evidence.** Both renders start from the same low-pass of the photo and "
    "take the same random draws: what differs between *them* comes from the feature, but for "
    "details in which two drawings of one feature differ, too. The direction of a step is drawn "
    "more strongly than its length. Neither is the photo."
)
STORED_PICTURE_NOTE = (
    "**Illustration, not evidence.** The photo is not on this machine: both renders start from an "
    "even grey and take the same random draws, so neither has the photo’s layout or colours."
)
ASKED_STEP_NOTE = (
    "Feature level, exact: the equivalent’s logits differ from the photo’s by at most {drift}. "
    "A network that ends in a ReLU has no negative entries: {negative} of this step’s length "
    "leads below zero, where no picture is."
)
FEASIBLE_STEP_NOTE = (
    "This step, at feature level: {cut} of it cannot be produced by a network whose features "
    "are never negative. The furthest one that can, of the same length, has IS {is_:.1f}° and AS "
    "{as_:+.1f}° and moves a logit by at most {drift:.2g}."
)
NEAREST_NOTE = (
    "It is steered anew, in another direction. Cut from the step as asked, the nearest feature "
    "that such a network can produce has IS {is_:.1f}°: tables and commands call this the feasible "
    "IS. Both are bounds. What they leave out no such network gives; whether a picture gives what "
    "they leave is another question, see “Can pixels do it?”."
)
FEASIBLE_MARK_NOTE = (
    "The mark on the slider is another thing: the largest IS of any such step, however long. So is "
    "the feasible IS of tables and commands: that of the nearest feature to the step as asked."
)
SCALE_NOTE = (
    "**Illustration, not evidence.** The photo’s own feature, moved to known image scores along "
    "the line that the slider follows, as asked. All start from the same low-pass of the photo. "
    "Drawn so that a short step looks short: what 0° and 3° differ by is mostly the drawing itself."
)
CONTROLS_NOTE = (
    "**Illustration, not evidence.** The same four features in every row: the photo’s, and three "
    "at the same distance from it. Only the seed of the drawing differs from row to row: what "
    "changes down a column is the drawing, what changes along a row is the feature too. The head "
    "sees nothing of the null step, a part of the random step, and all of the principal one."
)
FEASIBLE_CONTROLS_NOTE = (
    "The null step is the feasible one, whose logits may move a little; the two controls have its "
    "length and may have negative entries."
)
