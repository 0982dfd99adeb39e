"""The made-up set where three of its four classes decide."""

from sing_core.maths.head_variants import HeadVariant

THREE = HeadVariant((0, 1, 281))


def table(scored):
    return scored.ask("SELECT * FROM images ORDER BY row").to_pylist()
