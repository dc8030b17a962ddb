"""The claims page: every claim of the sources is there, with what the records say."""

import re

from distill_lib import recorded
from pictures import claims

NAMES = ("comparison", "controls_whose", "never_shown", "ensembles", "ensembles_share")
NAMES = (*NAMES, "weekday_encodings", "deep", "self_distillation_wrong")
NAMES = (*NAMES, "mnist", "mnist_teachers", "mnist_closer_test", "mnist_unseen")
NAMES = (*NAMES, "tuning_teachers", "tuning_search", "tuning_schedule")
NAMES = (*NAMES, "mnist", "mnist_teachers", "mnist_closer_test", "mnist_unseen", "offline_views")
RECORDS = {name: recorded(name)["rows"] for name in NAMES}
RECORDS["deployment"] = [recorded("deployment")]


def test_all_twenty_claims_have_a_line_with_a_verdict():
    every = [*claims.claims(RECORDS)]
    assert len(every) == 20 and len({claim.says for claim in every}) == 20
    for claim in every:
        assert {*claim.source.split(", ")} <= set(claims.SOURCES)
        is_open = claim.verdict == "open"
        assert is_open == (claim.where == claims.LATER) == (not claim.found)


def test_the_figures_are_those_of_the_records():
    """Of one that is computed here by hand: 30 labels, own soft targets minus labels alone."""
    rows = {
        (r["labels"], r["student"], r["target"]): r["accuracy"] for r in RECORDS["controls_whose"]
    }
    pairs = zip(rows[30, "64-10", "own"], rows[30, "64-10", "label"], strict=True)
    gains = [100 * (own - label) for own, label in pairs]
    (found,) = (c.found for c in claims.claims(RECORDS) if c.says.startswith("soft targets carry"))
    assert f"{sum(gains) / len(gains):+.1f} ±" in found


def test_how_much_faster_is_the_benchmarks():
    (speed,) = RECORDS["deployment"]
    (found,) = (c.found for c in claims.claims(RECORDS) if "fast at inference" in c.says)
    for pair in ("digits", "large"):
        ratios = speed[pair]["teacher_by_student"]
        for engine in ("NumPy", "ONNX Runtime"):
            assert all(f"{ratios[engine][k]['median']:.1f}" in found for k in ("single", "batch"))


def test_the_table_is_markdown_that_links_to_chapters_that_exist(root):
    text = claims.table(RECORDS)
    pages = set(re.findall(r"\{doc\}`(\w+)`", text))
    assert pages and all((root / f"chapters/{page}.ipynb").exists() for page in pages)
    assert len(text.splitlines()) == 22 and not re.search(r"-\d", text.split("\n", 2)[2])
