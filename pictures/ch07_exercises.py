"""What the exercises of chapter 7 expect, and what typically goes wrong in them."""

import numpy as np

from pictures.exercises import check

CLASSES = [  # student, teacher, labels
    tuple(map(np.array, ([1, 2, 3, 4, 9, 6], [1, 2, 4, 4, 9, 7], [1, 2, 3, 4, 5, 8]))),
    tuple(map(np.array, ([0, 0, 1, 1, 2], [0, 1, 1, 2, 2], [1, 0, 1, 0, 1]))),
]


def holm_by_hand(answer):
    """The smallest p-value, 0.004, after correction for 20 tests and for 378."""
    p, few, many = 0.004, 20, 378
    mistakes = {
        "no probability exceeds 1": [few * p, many * p],
        "those are the bounds for an uncorrected p": [0.05 / few, 0.05 / many],
        "the smallest is multiplied by all the tests, only the next by one less": [
            (few - 1) * p,
            1.0,
        ],
        "that divides: a corrected p-value is larger": [p / few, p / many],
    }
    hint = "Multiply by the number of tests; no probability exceeds 1."
    check(answer, [few * p, 1.0], hint, mistakes=mistakes, decimals=3)


def repeats(answer):
    """The reader's repeats(student, teacher, labels)."""

    def of_all(student, teacher, labels):
        return np.mean((student == teacher) & (teacher != labels))

    def both_wrong(student, teacher, labels):
        return np.mean(student[teacher != labels] != labels[teacher != labels])

    def of_the_students(student, teacher, labels):
        return np.mean(student[student != labels] == teacher[student != labels])

    mistakes = {
        "that is fidelity: look only where the teacher errs": lambda s, t, y: np.mean(s == t),
        "that is a share of all examples: divide by the teacher's errors": of_all,
        "there the student errs too, but it need not be the same mistake": both_wrong,
        "that is a share of the student's errors: take the teacher's": of_the_students,
        "that is where the teacher is right": lambda s, t, y: np.mean(s[t == y] == t[t == y]),
    }

    def expected(student, teacher, labels):
        return np.mean(student[teacher != labels] == teacher[teacher != labels])

    hint = "Keep the examples with teacher != labels, then compare student and teacher there."
    check(answer, expected, hint, tries=CLASSES, mistakes=mistakes)
