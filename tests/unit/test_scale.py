"""The arithmetic of scale, held against figures that were published and against counting."""

import re
from math import ceil, inf

import numpy as np
import pytest

from distill_lib import cross_entropy, log_softmax, soft_target_loss, softmax
from pictures.scale import (
    PUBLISHED,
    bytes_per_example,
    different_ids,
    draw_bytes,
    draw_pays,
    draw_shards,
    draw_ways,
    excerpt,
    must_save,
    seconds_to_send,
    settings,
    shares,
    teacher_share,
    when_a_teacher_pays,
    written,
)


def test_bytes_are_those_that_were_published():
    paper = PUBLISHED["sparse logits"]
    assert bytes_per_example(paper["vocabulary"], "sampled", paper["ids"]) == paper["bytes"]


@pytest.mark.parametrize(
    "kind, k, expected", [("label", 0, 1), ("full", 0, 20), ("top-k", 3, 8), ("sampled", 3, 5)]
)
def test_bytes_of_ten_classes(kind, k, expected):
    """An id takes 4 bits, a number 16, a count 7: 4; 10 · 16; 3 · (4 + 16); 3 · (4 + 7)."""
    assert bytes_per_example(10, kind, k) == expected


def test_numbers_of_other_widths():
    assert bytes_per_example(10, "full", bits=32) == 2 * bytes_per_example(10, "full")
    assert bytes_per_example(256, "top-k", 4, bits=8) == 4 * 2


def test_all_ids_of_the_top_cost_more_than_the_full_answer():
    full = bytes_per_example(1000, "full")
    assert bytes_per_example(1000, "top-k", 615) < full < bytes_per_example(1000, "top-k", 616)


@pytest.mark.parametrize("kind, k", [("top-k", 0), ("sampled", 11), ("some", 3), ("top-k", 2.5)])
def test_what_is_no_way_to_store_an_answer_is_refused(kind, k):
    with pytest.raises(ValueError, match="must be"):
        bytes_per_example(10, kind, k)


def test_different_ids_are_those_that_are_drawn():
    p = np.array([0.6, 0.3, 0.05, 0.03, 0.02])
    rng = np.random.default_rng(0)
    counted = [len(set(rng.choice(5, 10, p=p))) for _ in range(4000)]
    error = np.std(counted) / len(counted) ** 0.5
    assert different_ids(p, 10) == pytest.approx(np.mean(counted), abs=4 * error)
    assert different_ids(p, 1) == pytest.approx(1)


def test_a_gigabyte_through_a_gigabit_takes_eight_seconds():
    assert seconds_to_send(1e9, 1) == 8


def test_stored_outputs_are_made_once_and_others_at_every_turn():
    """A teacher three times as large asks for as many operations as its student trains with."""
    assert teacher_share(3, 1) == 0.5
    assert teacher_share(3, 1, students=3, passes=3) == pytest.approx(1 / 10)
    assert teacher_share(3, 1, students=3, passes=3, stored=False) == 0.5


def test_a_teacher_pays_where_both_ways_cost_the_same():
    teacher, student, alone, distilled, first = 70e9, 1e9, 9e12, 3e12, 1e12
    n = when_a_teacher_pays(teacher, student, alone, distilled, first)
    without = n * 6 * student * alone
    with_it = n * 6 * student * distilled + 2 * teacher * distilled + 6 * teacher * first
    assert without == pytest.approx(with_it)
    assert when_a_teacher_pays(teacher, student, alone, distilled) < n, "it exists already"
    assert when_a_teacher_pays(teacher, student, alone, alone) == inf, "it saves nothing"


def test_the_published_share_of_the_logits():
    card = PUBLISHED["Llama 3.2"]
    hours = card["training_hours"], card["logits_hours"]
    assert round(100 * hours[1] / sum(hours), 1) == 9.4
    assert must_save(*hours) == pytest.approx(0.104, abs=5e-4)


# --- What the chapter shows -----------------------------------------------------------------------


def test_an_excerpt_is_the_lines_of_the_file_without_docstrings():
    lines = excerpt("pictures/scale.py", "def must_save", "return check_positive").splitlines()
    assert len(lines) == 2 and lines[0].startswith("def must_save(") and lines[1][:4] == "    "
    assert excerpt("pictures/scale.py", "return check_positive", "check")[:6] == "return"


@pytest.mark.parametrize("start, end", [("no such line", "def"), ("def must_save", "no such line")])
def test_an_excerpt_that_is_not_there_is_refused(start, end):
    with pytest.raises(ValueError, match="must have lines"):
        excerpt("pictures/scale.py", start, end)


@pytest.mark.parametrize("examples, processes", [(32, 4), (13, 5), (9, 8), (3, 3)])
def test_shards_take_each_example_once_and_by_share_each_counts_alike(examples, processes):
    for average in ("plain", "by share"):
        counts = shares(examples, processes, average)
        assert [m for m, _ in counts] == [
            len(range(examples)[r::processes]) for r in range(processes)
        ]
        assert sum(m * weight for m, weight in counts) == pytest.approx(examples)
    assert {weight for _, weight in counts} == {1.0}


def test_a_plain_average_counts_an_example_by_one_over_its_shard():
    values, counts = np.arange(13.0), shares(13, 5, "plain")
    weights = np.concatenate([np.full(m, w) for m, w in counts])
    order = np.concatenate([values[r::5] for r in range(5)])
    assert np.mean(weights * order) == pytest.approx(
        np.mean([values[r::5].mean() for r in range(5)])
    )


@pytest.mark.parametrize("processes, average", [(4, "plain"), (5, "by share"), (5, "plain")])
def test_the_average_of_shards_is_the_whole_gradient_or_the_picture_says_how_far_off(
    processes, average
):
    x = np.random.default_rng(0).normal(size=(32, 3))
    off = np.mean([x[r::processes].mean(axis=0) for r in range(processes)], axis=0) - x.mean(axis=0)
    share = np.linalg.norm(off) / np.linalg.norm(x.mean(axis=0))
    _, text = draw_shards(lambda rows: x[rows].mean(axis=0), processes, 32, average)
    words = (
        f"off by {share:.1%}" if (processes, average) == (5, "plain") else "right but for rounding"
    )
    assert words in text


@pytest.mark.parametrize("args", [(3, 4, "plain"), (3, 0, "plain"), (3, 2, "fair")])
def test_a_process_without_an_example_or_another_average_is_refused(args):
    with pytest.raises(ValueError, match="must be"):
        shares(*args)


def test_a_way_says_where_it_is_equal_and_how_far_it_is_off():
    row = {"difference": [0, 2e-9, 0], "killed_at": 3, "went_on_after": 1}
    _, text = draw_ways([3.0, 2.0, 1.0], {"a": row}, "a")
    assert "2.0e−9" in text.replace("e−09", "e−9") and "at 2 of 3 steps" in text
    assert "killed at step 3, and on again after step 1" in text


# What the sources of the libraries compute, in NumPy: read in the versions that `settings` names.
RNG = np.random.default_rng(0)
Z, V, Y = RNG.normal(0, 2, (6, 4)), RNG.normal(0, 3, (6, 4)), RNG.integers(0, 4, 6)


def kl(T, beta=0.0):
    """Mean over examples; teacher first at beta = 0, student first at 1. No T²."""
    p, q = (V, Z) if beta == 0 else (Z, V)
    return np.mean(np.sum(softmax(p, T) * (log_softmax(p, T) - log_softmax(q, T)), axis=1))


def torchdistill(alpha, beta, temperature):
    if not alpha:
        return kl(temperature)
    return alpha * cross_entropy(Z, Y).value + beta * temperature**2 * kl(temperature)


def keras(student_loss_weight, temperature):
    soft = temperature**2 * kl(temperature)
    return student_loss_weight * cross_entropy(Z, Y).value + (1 - student_loss_weight) * soft


def script(alpha_ce, alpha_clm, temperature):
    assert alpha_clm > 0
    return alpha_ce * temperature**2 * kl(temperature) + alpha_clm * cross_entropy(Z, Y).value


def trl(beta, temperature=1.0, lmbda=0.0):
    assert lmbda == 0
    return kl(temperature, beta)


THEIRS = {
    "torchdistill, KDLoss": torchdistill,
    "Keras, Distiller": keras,
    "DistilBERT's script": script,
    "TRL, DistillationTrainer": trl,
    "TRL, GKDTrainer": trl,
}


@pytest.mark.parametrize("T", [1, 2, 4, 20])
@pytest.mark.parametrize("alpha", [0, 0.1, 0.5, 0.9, 1])
def test_the_settings_of_others_give_our_loss_or_say_what_is_lost(T, alpha):
    ours = alpha * cross_entropy(Z, Y).value + (1 - alpha) * soft_target_loss(Z, V, T).value
    for name, (call, remark) in settings(T, alpha).items():
        if not call or "refused" in remark:
            assert remark
            continue
        numbers = {key: float(n) for key, n in re.findall(r"(\w+)[= ]([\d.]+)", call)}
        factor = float(lost[1]) if (lost := re.search(r"1/([\d.]+) of ours", remark)) else 1.0
        assert factor * THEIRS[name](**numbers) == pytest.approx(ours), name


def test_the_settings_say_which_library_cannot():
    calls = settings(4, 0.1)
    assert [name for name, (call, _) in calls.items() if not call] == [*THEIRS][3:]
    assert "refused" in settings(4, 0)["DistilBERT's script"][1]
    assert settings(1, 0)["TRL, GKDTrainer"][0] and not settings(2, 0)["TRL, GKDTrainer"][0]
    with pytest.raises(ValueError, match="T must"):
        settings(0, 0.5)


@pytest.mark.parametrize("T, words", [(1, "of the student's own"), (4, "texts at T = 4")])
def test_a_trainer_on_the_students_own_texts_is_never_shown_as_ours_without_a_word(T, words):
    assert words in settings(T, 0)["TRL, DistillationTrainer"][1]


@pytest.mark.parametrize(
    "size, words", [(12, "12 bytes"), (36e6, "36 MB"), (2.3086e18, "2.31 EB"), (1000, "1 kB")]
)
def test_bytes_are_written_in_the_largest_unit(size, words):
    assert written(size) == words


def test_the_pictures_of_the_bill_say_its_numbers():
    _, text = draw_bytes(262_144, 256)
    assert "sampled 800" in text and "top-k 1,088" in text and "full 524,288" in text
    assert "full 524 PB and 11,651 hours, sampled 800 TB and 18 hours" in text
    assert "sampled 9 TB and 0.2 hours" in draw_bytes(1000, 4)[1]
    _, text = draw_pays(70, 0.5, "must be trained")
    n = when_a_teacher_pays(70, 1, 1, 0.5, 1)
    assert f"from {ceil(n):,} students" in text and "must be trained" in text
    figure, _ = draw_pays(70, 0.5, "exists")
    stored = next(line for line in figure.axes[0].lines if line.get_label() == "outputs stored")
    n = when_a_teacher_pays(70, 1, 1, 0.5)
    assert np.interp(n, stored.get_xdata(), stored.get_ydata()) == pytest.approx(1, rel=0.01)
