"""What the text card of a hidden direction says, in a sentence with magnitudes."""

from sing_core.units.directions import Card


def card_sentence(card: Card, what: str) -> str:
    """Return what a card says of ``what``, or why it gives no words.

    Words that leave no less of it than of random directions are a detail, and no name.
    """
    many, left = len(card.unexplained) - 1, 100 * card.unexplained[-1]
    chance = _chance(card, -1)
    if card.is_refused:
        return (
            f"There are no words for {what}: {many} texts leave {left:.1f} % of its length "
            f"unexplained, and of random directions of the same null space {chance}. Texts "
            "describe it no better than a direction drawn at random."
        )
    few = len(card.words)
    texts = f"{few} text{'' if few == 1 else 's'} leave{'s' if few == 1 else ''}"
    if not card.is_beyond_chance:
        return (
            f"No name beyond chance for {what}: {texts} {100 * card.unexplained[few]:.1f} % of its "
            "length unexplained, and of random directions of the same null space "
            f"{_chance(card, few)}. Only {many} together leave less than of those, {left:.1f} % "
            f"where they are left {chance}. So that it leads {_led(card)} is a detail."
        )
    return (
        f"{what[0].upper()}{what[1:]} leads {_led(card)}: {texts} "
        f"{100 * card.unexplained[few]:.1f} % of its length unexplained, where random directions "
        f"of the same null space are left {_chance(card, few)}; {many} leave {left:.1f} %, of "
        f"those {chance}."
    )


def _chance(card: Card, place: int) -> str:
    """Return what so many texts leave of random directions, in words."""
    return f"{100 * card.band.low[place]:.1f} to {100 * card.band.high[place]:.1f} %"


def _led(card: Card) -> str:
    """Return towards which of its texts a direction leads, and away from which."""
    towards = [f"“{word.text}”" for word in card.words if word.coefficient > 0][:2]
    away = [f"“{word.text}”" for word in card.words if word.coefficient < 0][:2]
    return " and ".join(
        f"{how} {' and '.join(named)}"
        for how, named in (("towards", towards), ("away from", away))
        if named
    )
