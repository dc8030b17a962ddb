"""The table of the claims page: what the source texts say, and what this book found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from distill_lib import Estimate, softmax
from pictures import ch08, ch12, offline, tuning
from pictures.ch07 import gap
from pictures.rows import Row, crossed_gain, percent

FASTEST = "all tuned, for speed"
LATER = "*a chapter to come*"
SOURCES = {
    "A": "Comparing Traditional and Enhanced Step-by-Step Distillation",
    "B": "Knowledge Distillation: Teach a Small Model Big Tricks",
    "C": "Unraveling Teacher-Student Knowledge Distillation",
}


Rows = Sequence[Row]


class Claim(NamedTuple):
    """A line of the table; without a figure the claim waits for its chapter."""

    says: str
    source: str
    where: str = LATER
    found: str = ""
    verdict: str = "open"


def _row(rows: Rows, **case: object) -> Row:
    """The one row of a record with these entries."""
    (row,) = (r for r in rows if case.items() <= r.items())
    return row


def _compared(
    rows: Rows,
    setting: str,
    method: str,
    against: str,
    regime: str = "all tuned",
    question: str = "accuracy",
) -> Estimate:
    """One method minus another in the fair comparison: points, over seeds and test examples; or
    steps, over seeds."""
    row, other = (_row(rows, setting=setting, regime=regime, method=m) for m in (method, against))
    return gap(row, other, question)


def _settings(rows: Rows, method: str, against: str, form: str = "+.1f", **asked: str) -> str:
    """Of each setting, one method minus another."""
    names = dict.fromkeys(row["setting"] for row in rows)
    return ", ".join(f"{n} {_compared(rows, n, method, against, **asked):{form}}" for n in names)


def _whose(rows: Rows, target: str, student: str = "64-10") -> Estimate:
    """What a target gains over labels alone on the same 30 digits, in points."""
    case = {"labels": 30, "student": student}
    row, alone = (_row(rows, **case, target=t) for t in (target, "label"))
    return crossed_gain(row, alone)


def _never_shown(rows: Rows, T: int) -> np.ndarray:
    case = {"student": "64-10", "lesson": "soft targets", "T": T}
    digits = [_row(rows, digit=digit, **case)["found"] for digit in range(10)]
    return 100 * np.mean(digits, axis=1)


def _overfitting(rows: Rows) -> str:
    """What soft targets do with 3% of the labels, by whose they are."""
    alone, full, same = (
        _row(rows, percent=3, teacher=t) for t in ("none", "all the data", "the same share")
    )
    gaps = [100 * np.mean(row["gap"]) for row in (alone, full)]
    words = "with 3% of the labels soft targets of a teacher of all the data gain "
    words += f"{crossed_gain(full, alone):+.1f} points, and training is {gaps[1]:.0f} points ahead "
    words += f"of test in place of {gaps[0]:.0f}; of a teacher of the same 3% they gain "
    return words + f"{crossed_gain(same, alone):+.1f}"


def _ensemble(rows: Rows, setting: str = "20% wrong") -> str:
    """What ten members gain, what their student keeps of it, and what one teacher's gains."""
    cases = ch08.by_case({"rows": rows})
    ten, one = (ch08.case(cases, setting, "same", teachers=n) for n in (ch08.TEN, 1))
    gains = [ch08.ahead(cases, ten, who) for who in ("right", "ensemble_right")]
    together = ch08.lead(cases, ten, "ensemble_right")
    words = "the speech is private; on digits, 20% of the labels wrong, ten are "
    words += f"{together:+.1f} points better than one, and a student of the size of one keeps "
    words += f"{ch08.kept_words(ch08.kept(*gains))} of it; the student of one teacher gains "
    return words + f"{ch08.lead(cases, one):+.1f}"


def _weekdays(rows: Rows) -> str:
    """Weekdays by how the year is written, of the range of the examples and beyond."""
    best, plain = (_row(rows, encoding=name) for name in ("modulo 28", "a unit a year"))
    words = f"weekdays of new dates: {percent(best).mean:.1f}% right, of 2080 to 2099, never seen, "
    words += f"{percent(best, 'future').mean:.1f}% with the year modulo 28 and "
    words += f"{percent(plain, 'future').mean:.1f}% with a unit for each year, of 2100 to 2199 "
    return words + f"{percent(best, 'after').mean:.1f}%"


def _itself(rows: Rows, method: str, control: str, share: float) -> Estimate:
    """A way of self-distillation minus its control, in points."""
    return crossed_gain(*(_row(rows, share=share, method=name) for name in (method, control)))


def _mnist(rows: Rows, teachers: Rows, moved: Rows) -> Iterator[Claim]:
    """Errors of a teacher and of its students, of 10,000 test images."""
    table, teacher = ch12.taught({"rows": rows}), ch12.of_whole_length({"rows": teachers})
    alone, soft = (ch12.errors(table[ch12.PARENT, T]) for T in (None, 20))
    yield Claim(
        "a student performs comparably to its teacher",
        "B",
        "{doc}`12_mnist`",
        f"MNIST, errors of 10,000: the teacher {ch12.errors(teacher):.0f}, its student "
        f"{soft:.0f}, the same student with labels alone {alone:.0f}",
        "most of the way",
    )
    asked = ch12.of_whole_length({"rows": moved})
    by_name = {"at T = 20": table[ch12.PARENT, 20], "at T = 4": table[ch12.PARENT, 4]}
    by_name |= {"asked about moved images": asked}
    more = [f"{ch12.more_errors(row, teacher):+.0f} {name}" for name, row in by_name.items()]
    yield Claim(
        "MNIST: seven additional errors",
        "B",
        "{doc}`12_mnist`",
        f"five pairs: {', '.join(more)}",
        "near it, when the teacher is asked about moved images",
    )


def _unseen(rows: Rows) -> str:
    """Threes found by a student that was shown none."""
    row = ch12.unseen({"rows": rows})["012456789"]
    before, after = (percent(row, name) for name in ("unseen", "corrected_unseen"))
    return f"MNIST: {before:.1f}% of the 3s, {after:.1f}% with a bias that needs no test set"


def _gaps(rows: Rows) -> str:
    """How far training is ahead of test, by what was learned from."""
    by_name = {row["method"]: row for row in rows if row["setting"] == "60 labels"}
    names = ("labels alone", "soft targets", "hint", "attention")
    gaps = [f"{100 * np.mean(by_name[name]['gap']):.1f} with {name}" for name in names]
    return f"60 labels, a convolutional student, training ahead of test, points: {', '.join(gaps)}"


def _features(rows: Rows) -> str:
    """What hints and attention gain over labels alone, and what they add to soft targets."""
    by_name = {row["method"]: row for row in rows if row["setting"] == "60 labels"}
    base = {"labels alone": ("soft targets", "hint", "attention")}
    base |= {"soft targets": ("soft and hint", "soft and attention", "soft, random hint")}
    parts = [
        f"over {baseline}: "
        + ", ".join(
            f"{name} {crossed_gain(by_name[name], by_name[baseline]):+.1f}" for name in names
        )
        for baseline, names in base.items()
    ]
    return "small convolutional networks, 60 labels, points " + "; ".join(parts)


def _faster(rows: Rows) -> str:
    """How many times smaller students are than their teachers, and how many times faster."""
    (record,) = rows
    parts = []
    for pair in ("digits", "large"):
        ratios = record[pair]["teacher_by_student"]
        words = f"{pair}, {ratios['parameters']:.0f} times fewer parameters: "
        for kind, what in (("single", "one example"), ("batch", "a batch of 256")):
            times = [f"{ratios[e][kind]['median']:.1f}" for e in ("NumPy", "ONNX Runtime")]
            words += f"{what} {' and '.join(dict.fromkeys(times))} times as fast, "
        parts.append(words.removesuffix(", "))
    return "; ".join(parts) + " (NumPy, and ONNX Runtime where it differs)"


def _accurate(rows: Rows) -> str:
    """What accuracy tells of a teacher, what it hides, and what the most accurate one gains."""
    by_teacher = tuning.by_teacher({"rows": rows})
    names = "20% wrong labels", "base", "small", "trained long", "large"
    wrong, base, small, longest, large = (
        tuning.student(by_teacher, name, "chosen") for name in names
    )
    words = "of eleven teachers, T chosen, students against those of the base, points: a small "
    words += f"teacher's {crossed_gain(small, base):+.1f}; those of one that learned from 20% "
    words += "wrong labels, less than two points less accurate than the base, "
    words += f"{crossed_gain(wrong, base):+.1f}; the most accurate, trained long, against a large "
    return words + f"one: {crossed_gain(longest, large):+.1f}"


def _lowered(rows: Rows) -> str:
    """What the temperature that falls has over the one that stays, both chosen on validation."""
    parts = []
    for setting in ("60 images", "all images"):
        best = tuning.best_by_kind({"rows": rows}, setting)
        gain = crossed_gain(best["falling, linear"], best["fixed"])
        parts.append(f"{setting} {gain:+.1f}")
    return f"falling along a line minus fixed, points: {', '.join(parts)}"


def _dials(rows: Rows) -> str:
    """What a search on one dial alone has over a guess, and one on all three."""
    searches = {row["search"]: row for row in rows}
    names = {"T alone": 8, "alpha alone": 8, "rate alone": 8, "random": 27}
    gains = [
        f"{name} {tuning.search_gain(searches[name], n, searches['default'], 1):+.1f}"
        for name, n in names.items()
    ]
    return f"points over a guess by searches, 60 labels: {', '.join(gains)}"


def _stored(rows: Rows) -> str:
    """What asking about changed images gains, and what answers stored once keep of it."""
    views, parts = offline.by_way({"rows": rows}), []
    for change in ("mixed", "moved"):
        ways = {"asked": "same view", "16 stored views": "stored views"}
        ways |= {"originals and stored answers": "stored"}
        ways |= {"changed images and stored answers": "other view"}
        gains = [f"{n} {offline.ahead(views, change, way, 16):+.1f}" for n, way in ways.items()]
        parts.append(f"{change}: {', '.join(gains)}")
    words = "changed digits, points over labels alone, "
    words += f"{'; '.join(parts)}; answers of the teacher, not hours, were counted: "
    return words + f"{16 * 300:,} for 16 views in place of {120 * 300:,}"


def claims(records: Mapping[str, Rows]) -> Iterator[Claim]:
    """All claims of the sources, in the order in which the book meets them.

    Args:
        records: the rows of the records that the claims page reads, by name; of "deployment", which
            has a table for each pair, the record as its only row.
    """
    comparison, whose = records["comparison"], records["controls_whose"]
    never_shown, itself = records["never_shown"], records["self_distillation_wrong"]
    shares = ["/".join(f"{p:.2f}" for p in softmax([1.0, 2.0, 3.0], T)) for T in (1, 5)]
    yield Claim(
        "softmax of 1, 2, 3 gives 0.09, 0.24, 0.66 at T = 1 and 0.26, 0.32, 0.40 at T = 5",
        "C",
        "{doc}`01_temperature`",
        f"{shares[0]} and {shares[1]}",
        "right, but cut off, not rounded",
    )
    yield Claim(
        "a higher temperature changes no order and makes relations visible",
        "C",
        "{doc}`01_temperature`",
        "for every T above 0, by a proof of one line",
        "right",
    )
    yield Claim(
        "a probability of close to three among ten classes shows three similar classes",
        "C",
        "{doc}`01_temperature`",
        "every digit passes through three on its way from one class to ten",
        "only beside a T, and of an image",
    )
    saturated = softmax([10.0, 20.0, 30.0])
    yield Claim(
        "large values saturate softmax and hide the relations",
        "C",
        "{doc}`01_temperature`",
        f"logits 10, 20, 30 at T = 1: the second of three gets {saturated[1]:.0e}",
        "right",
    )
    own, mean = _whose(whose, "own"), _whose(whose, "class mean")
    yield Claim(
        "soft targets carry more than hard labels",
        "B, C",
        "{doc}`02_teacher_and_student`",
        f"30 labels, the same 30 digits: {own:+.1f} points; with the mean soft target of the "
        f"digit's class in its place {mean:+.1f}",
        "right where labels are few; with all labels nothing is left",
    )
    yield Claim(
        "distillation mitigates overfitting",
        "B",
        "{doc}`08_ensembles`, {doc}`11_deep_students`",
        f"{_overfitting(records['ensembles_share'])}; {_gaps(records['deep'])}",
        "mostly by what the teacher knows of other data; its features hardly",
    )
    yield from _mnist(*(records[name] for name in ("mnist", "mnist_teachers", "mnist_closer_test")))
    at_4, at_16 = _never_shown(never_shown, 4), _never_shown(never_shown, 16)
    yield Claim(
        "98.6% of a digit that was never shown",
        "B",
        "{doc}`04_traditional_distillation`, {doc}`12_mnist`",
        f"{_unseen(records['mnist_unseen'])}; small digits: a linear student finds "
        f"{at_4.mean():.0f}% at T = 4 and {at_16.mean():.0f}% at T = 16 (mean of ten digits left "
        f"out; {at_16.min():.0f} to {at_16.max():.0f})",
        "yes, and without a look at the test set",
    )
    yield Claim(
        "speech: 10.7% word error rate, as an ensemble of ten",
        "B",
        "{doc}`08_ensembles`",
        _ensemble(records["ensembles"]),
        "the same shape, where members differ; the student is as large as each of them",
    )
    yield Claim(
        "a small model takes over a specialist's logic, such as dates",
        "B",
        "{doc}`09_specialists`",
        _weekdays(records["weekday_encodings"]),
        "in the range of its examples; beyond it, what the encoding knows",
    )
    yield Claim(
        "choose an accurate teacher",
        "B",
        "{doc}`13_tuning`",
        _accurate(records["tuning_teachers"]),
        "here it tells bad from good, not the best among the good; wrong labels hardly show in it",
    )
    yield Claim(
        "start at a high temperature and lower it",
        "B",
        "{doc}`13_tuning`",
        _lowered(records["tuning_schedule"]),
        "not here: not ahead of a fixed temperature that was chosen in as many trials",
    )
    shared = _compared(comparison, "few labels", "step by step", "traditional", "one rate")
    tuned = _compared(comparison, "few labels", "step by step", "traditional")
    yield Claim(
        "tuning the temperature and the weights is essential",
        "B",
        "{doc}`04_traditional_distillation`, {doc}`07_fair_comparison`, {doc}`13_tuning`",
        f"step by step minus traditional, few labels: {shared:+.1f} points at one shared learning "
        f"rate, {tuned:+.1f} with everything tuned; {_dials(records['tuning_search'])}",
        "right, the learning rate and the temperature above all",
    )
    yield Claim(
        "offline distillation keeps most of the gain and saves work",
        "B",
        "{doc}`14_offline`",
        _stored(records["offline_views"]),
        "the work: right; the gain: with the same views stored, yes; with answers to the original "
        "images, not here",
    )
    yield Claim(
        "the small model is fast at inference",
        "B, C",
        "{doc}`03_measuring_fairly`, {doc}`15_deployment`",
        _faster(records["deployment"]),
        "right in size; in batches by less; hardly for one example where both are small",
    )
    yield Claim(
        "step by step is better than traditional distillation",
        "A",
        "{doc}`05_step_by_step`, {doc}`07_fair_comparison`",
        f"all tuned, points: {_settings(comparison, 'step by step', 'traditional')}",
        "where the label hides the reasoning; elsewhere not",
    )
    rivals, fast = ("cosine", "step by step"), {"question": "steps", "regime": FASTEST}
    yield Claim(
        "a cosine makes it better, faster and more stable",
        "A",
        "{doc}`06_cosine_enhanced`, {doc}`07_fair_comparison`",
        f"against the square, all tuned, points: {_settings(comparison, *rivals)}; steps, chosen "
        f"for speed: {_settings(comparison, *rivals, '+.0f', **fast)}; stability: told nowhere",
        "with few rows of a wrong scale; worse where the scale says something; elsewhere not told",
    )
    yield Claim(
        "large deep models need more, such as attention",
        "A",
        "{doc}`11_deep_students`",
        _features(records["deep"]),
        "not here: features did not replace answers, and added nothing sure to them; published "
        "tables have both gain and harm",
    )
    views, plain = "noisy views, agreeing", "noisy views"
    yield Claim(
        "self-distillation does without a teacher",
        "C",
        "{doc}`10_self_distillation`",
        "beside its control, right labels and 30% wrong, points: progressive targets "
        f"{_itself(itself, 'progressive', 'smoothing', 0):+.1f} and "
        f"{_itself(itself, 'progressive', 'smoothing', 0.3):+.1f}, a taught exit "
        f"{_itself(itself, 'exits, taught', 'exits', 0):+.1f} and "
        f"{_itself(itself, 'exits, taught', 'exits', 0.3):+.1f}, two views that agree "
        f"{_itself(itself, views, plain, 0):+.1f} and {_itself(itself, views, plain, 0.3):+.1f}",
        "mostly nothing beyond the control; agreement under wrong labels, and answers to inputs "
        "without labels, are worth something",
    )


def table(records: Mapping[str, Rows]) -> str:
    """All claims as a table in Markdown; the records are those of `claims`."""
    lines = ["| | claim | in | tested in | found | verdict |", "|--:|---|---|---|---|---|"]
    for number, claim in enumerate(claims(records), 1):
        verdict = f"**{claim.verdict}**"
        cells = (
            claim.says,
            claim.source,
            claim.where,
            re.sub(r"-(?=\d)", "−", claim.found),
            verdict,
        )
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return "\n".join(lines)
