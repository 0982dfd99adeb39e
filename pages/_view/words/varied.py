"""What is varied wherever a claim is measured anew under other choices."""

VARIED_FITS = (
    "a tenth to ten times the translator’s penalty (this set’s features stand for those of the "
    "fit), the fits that left a fifth of the images out (these alone translate images that they "
    "saw), and non-linear translators where they are asked for"
)
