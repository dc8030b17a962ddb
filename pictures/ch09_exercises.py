"""What the exercises of chapter 9 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

YEARS = [(year,) for year in (1900, 1996, 1999, 2000, 2024, 2100, 2400)]
SHARES = [(share,) for share in (0.3, 0.1, 0.5, 0.7)]


def leap(answer):
    """The reader's leap(year)."""

    def expected(year):
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)

    mistakes = {
        "1900 and 2100 are divisible by 4, and common years": lambda y: y % 4 == 0,
        "2000 was a leap year: every fourth century is": lambda y: y % 4 == 0 and y % 100 != 0,
        "most leap years do not end a century": lambda y: y % 400 == 0,
        "that says which years are common": lambda y: not expected(y),
    }
    hint = "Every fourth year is one; of the years that end in 00, only every fourth."
    check(answer, expected, hint, tries=YEARS, mistakes=mistakes)


def dustbin(answer):
    """The reader's dustbin(share)."""
    mistakes = {
        "that is the ratio: a logit is its logarithm": lambda s: (1 - s) / s,
        "the other way round: the dustbin was seen too seldom": lambda s: np.log(s / (1 - s)),
        "the special classes were seen too often as well: divide by their share": lambda s: np.log(
            1 - s
        ),
        "compare with the halves that it saw, for both sides": lambda s: np.log(2 * (1 - s)),
    }
    hint = "Odds of 'another': what were they in training, what are they in truth? "
    hint += "The factor between them, as a logarithm."
    check(answer, lambda s: np.log((1 - s) / s), hint, tries=SHARES, mistakes=mistakes)
