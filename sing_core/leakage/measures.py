"""What of an image is compared between models: columns of the score files, and how each is called.

One table, for whoever compares: two models, halves of the images, or choices of the analysis.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of an image, degrees.

    Attributes:
        short: its name among the columns that are read once for a table.
        words: as a sentence calls it.
        sql: of the score file's columns.
    """

    short: str
    words: str
    sql: str


MEASURES = {
    "image_score_deg": Measure("is", "IS", "image_score_deg"),
    "attribute_score_deg": Measure("as", "AS", "attribute_score_deg"),
    "abs_attribute_score_deg": Measure("abs_as", "|AS|", "abs(attribute_score_deg)"),
}
