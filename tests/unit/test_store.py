"""What is stored comes back, whatever was interrupted; whatever is wrong is refused by name."""

import json
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from distill_lib import MLP, LogisticRegression, TeacherOutputs, store, traditional
from distill_lib.data import Split
from distill_lib.store import fingerprint, load_outputs, store_outputs

RNG = np.random.default_rng(0)
N, SHARD = 37, 8  # the last shard has 5
INPUTS = RNG.normal(size=(N, 2)).astype(np.float32)
SPLIT = Split(INPUTS, RNG.integers(0, 3, N), RNG.permutation(1000)[:N])
TEACHER = MLP((2, 4, 3), seed=1)
OUTPUTS = TeacherOutputs.of(TEACHER, SPLIT)
SHARDS = [f"0000{k}.npy" for k in range(5)]
BOTH = ("logits", "hidden_1")


@pytest.fixture
def folder(tmp_path):
    """A whole store."""
    store_outputs(tmp_path / "store", TEACHER, SPLIT, shard=SHARD, names=BOTH)
    return tmp_path / "store"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(folder, message, model=TEACHER, split=SPLIT):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_outputs(folder, model, split)


# What is stored comes back


def test_what_is_stored_comes_back_by_its_example(folder):
    loaded, some = load_outputs(folder, TEACHER, SPLIT), SPLIT.index[[30, 2, 17, 2]]
    for name in BOTH:
        for index in (SPLIT.index, some):
            got, expected = loaded.at(index, name), OUTPUTS.at(index, name)
            # Shards are other batches than the whole: a processor may round otherwise.
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
            assert got.dtype == expected.dtype
    assert repr(loaded) == "StoredOutputs(37 examples: logits (3,), hidden_1 (4,))"
    assert sorted(contents(folder)) == [*SHARDS, "manifest.json"]


def test_in_one_shard_it_comes_back_bit_for_bit(tmp_path):
    assert store_outputs(tmp_path, TEACHER, SPLIT) == 1
    loaded = load_outputs(tmp_path, TEACHER, SPLIT)
    assert np.array_equal(loaded.at(SPLIT.index), OUTPUTS.at(SPLIT.index))


def test_an_example_or_scores_that_were_not_stored_are_refused(folder, tmp_path):
    loaded = load_outputs(folder, TEACHER, SPLIT)
    with pytest.raises(ValueError, match="nothing is known of example 1000 of"):
        loaded.at(np.array([1000]))
    store_outputs(tmp_path / "other", TEACHER, SPLIT)
    with pytest.raises(ValueError, match="has no scores 'hidden_1', only"):
        load_outputs(tmp_path / "other", TEACHER, SPLIT).at(SPLIT.index, "hidden_1")


def test_an_objective_takes_them_as_it_takes_those_in_memory(folder):
    student = LogisticRegression(2, 3).scores(SPLIT.inputs[:9])
    one, other = (
        traditional(SPLIT, outputs, 4, 0.1)(student, SPLIT.index[:9], 0.0)
        for outputs in (OUTPUTS, load_outputs(folder, TEACHER, SPLIT))
    )
    assert one.value == pytest.approx(other.value, rel=1e-6)
    np.testing.assert_allclose(one.gradients["logits"], other.gradients["logits"], atol=1e-7)


def test_misaligned_on_purpose_works_from_disk_too(folder):
    wrong = load_outputs(folder, TEACHER, SPLIT).misaligned(0.5, seed=3)
    expected = OUTPUTS.misaligned(0.5, seed=3).at(SPLIT.index)
    np.testing.assert_allclose(wrong.at(SPLIT.index), expected, atol=1e-6)


def test_half_precision_takes_half_and_comes_back_rounded(tmp_path):
    for dtype in (np.float16, np.float32):
        store_outputs(tmp_path / dtype.__name__, TEACHER, SPLIT, dtype=dtype)
    half, single = (
        load_outputs(tmp_path / name, TEACHER, SPLIT) for name in ("float16", "float32")
    )
    expected = single.at(SPLIT.index).astype(np.float16).astype(np.float32)
    assert (
        np.array_equal(half.at(SPLIT.index), expected) and half.at(SPLIT.index).dtype == np.float32
    )
    sizes = [len(contents(tmp_path / name)["00000.npy"]) for name in ("float16", "float32")]
    assert sizes[1] - sizes[0] == N * 3 * 2


def test_numpy_alone_reads_a_shard_and_finds_the_index_beside_each_row(folder):
    """The format is NumPy's: whoever lacks this library needs no more than `np.load`."""
    for k, name in enumerate(SHARDS):
        table = np.load(folder / name, allow_pickle=False)
        rows = slice(k * SHARD, (k + 1) * SHARD)
        assert np.array_equal(table["index"], SPLIT.index[rows])
        np.testing.assert_allclose(table["logits"], OUTPUTS.at(SPLIT.index[rows]), atol=1e-6)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["examples"] == N and manifest["scores"] == {"logits": 3, "hidden_1": 4}
    assert manifest["teacher"] == fingerprint(TEACHER) and manifest["type"] == "<f4"


def test_what_is_read_stays_on_disk_until_it_is_asked_for(tmp_path):
    """Of 8 MB of logits, few are in memory after a few examples."""
    wide, n = MLP((2, 1000)), 2000
    split = Split(RNG.normal(size=(n, 2)).astype(np.float32), np.zeros(n, int), np.arange(n))
    store_outputs(tmp_path, wide, split, shard=100)
    loaded = load_outputs(tmp_path, wide, split)
    tracemalloc.start()
    loaded.at(np.array([5, 1999, 700]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_more_shards_than_files_may_be_open_are_read(tmp_path):
    resource = pytest.importorskip("resource")
    store_outputs(tmp_path, TEACHER, SPLIT, shard=1)
    loaded, limits = (
        load_outputs(tmp_path, TEACHER, SPLIT),
        resource.getrlimit(resource.RLIMIT_NOFILE),
    )
    loaded._table = store.lru_cache(4)(loaded._table.__wrapped__)
    opened = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 100
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 15, limits[1]))
        np.testing.assert_allclose(loaded.at(SPLIT.index), OUTPUTS.at(SPLIT.index), atol=1e-6)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_the_labels_do_not_matter_for_a_teacher_does_not_see_them(folder):
    load_outputs(folder, TEACHER, replace(SPLIT, labels=np.full(N, -1)))


def test_the_fingerprint_will_do_for_the_teacher(folder):
    loaded = load_outputs(folder, fingerprint(TEACHER), SPLIT)
    np.testing.assert_allclose(loaded.at(SPLIT.index), OUTPUTS.at(SPLIT.index), atol=1e-6)
    refused(folder, "has another teacher", model=fingerprint(MLP((2, 4, 3), seed=2)))


# Whose outputs they are


def nudged():
    model = TEACHER.copy()
    model.vector[0] = np.nextafter(model.vector[0], np.float32(9))
    return model


@pytest.mark.parametrize(
    "other",
    [
        nudged(),  # trained by a hair further
        MLP((2, 4, 3), seed=1, dtype=np.float64),
        MLP((2, 2, 2, 3), seed=1),
        LogisticRegression(2, 3),
    ],
)
def test_the_outputs_of_another_teacher_are_refused(folder, other):
    before = contents(folder)
    refused(folder, "has another teacher: ", model=other)
    with pytest.raises(ValueError, match=r"has another teacher: .* take another folder, or delete"):
        store_outputs(folder, other, SPLIT, shard=SHARD)
    assert contents(folder) == before


def test_the_same_parameters_in_other_layers_are_another_teacher():
    one, other = MLP((2, 4, 3)), MLP((2, 5, 2))
    other.vector = one.vector
    third = MLP((2, 4, 3))
    third.vector[:] = one.vector
    assert fingerprint(one) == fingerprint(third) == fingerprint(one.copy())
    assert len({fingerprint(one), fingerprint(other)}) == 2


def changed_inputs():
    inputs = SPLIT.inputs.copy()
    inputs[-1, -1] += np.float32(1e-6)
    return replace(SPLIT, inputs=inputs)


ORDER = np.r_[1, 0, np.arange(2, N)]


@pytest.mark.parametrize(
    ("split", "what"),
    [
        (changed_inputs(), "inputs"),
        (replace(SPLIT, inputs=SPLIT.inputs.astype(np.float64)), "inputs"),
        (replace(SPLIT, index=SPLIT.index + 1), "order"),
        (SPLIT.take(ORDER), "order"),
        (replace(SPLIT, inputs=SPLIT.inputs[ORDER]), "inputs"),
        (SPLIT.take(np.arange(N - 1)), "examples"),
    ],
)
def test_other_data_or_another_order_are_refused(folder, split, what):
    before = contents(folder)
    refused(folder, f"has another {what}: ", split=split)
    with pytest.raises(ValueError, match=f"has another {what}: "):
        store_outputs(folder, TEACHER, split, shard=SHARD, names=BOTH)
    assert contents(folder) == before


def test_an_index_of_another_integer_type_is_the_same_index(folder):
    load_outputs(folder, TEACHER, replace(SPLIT, index=SPLIT.index.astype(np.int32)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shard": 9}, "has another shard: 8, not 9"),
        ({"dtype": np.float16}, "has another type: '<f4', not '<f2'"),
        ({"names": ("logits",)}, "has another scores: {'logits': 3, 'hidden_1': 4}, not {'logits'"),
    ],
)
def test_a_store_does_not_go_on_with_other_settings(folder, settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        store_outputs(folder, TEACHER, SPLIT, **({"shard": SHARD, "names": BOTH} | settings))


# Damage


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.mark.parametrize("name", [SHARDS[0], SHARDS[4], "manifest.json"])
def test_a_store_with_one_bit_flipped_is_refused(folder, name):
    """Every 61st bit of the file and the last ones; the manifest's every bit."""
    path, whole = folder / name, (folder / name).read_bytes()
    bits = range(0, 8 * len(whole), 3 if name == "manifest.json" else 61)
    for bit in {*bits, 8 * len(whole) - 1, 8 * len(whole) - 257}:
        flip(path, bit)
        with pytest.raises(ValueError, match=r"has another |delete it, and the same|lacks "):
            load_outputs(folder, TEACHER, SPLIT)
        path.write_bytes(whole)
    load_outputs(folder, TEACHER, SPLIT)


@pytest.mark.parametrize("left", [0, 1, 31, 32, 33, 128, 300, -32, -1])
@pytest.mark.parametrize("name", [SHARDS[2], SHARDS[4]])
def test_a_shard_that_is_cut_off_is_refused_by_its_name(folder, name, left):
    path = folder / name
    path.write_bytes(path.read_bytes()[:left])
    message = f"{path} is cut off, changed or foreign: delete it, and the same store_outputs"
    refused(folder, message)
    with pytest.raises(ValueError, match=re.escape(message)):  # nor is it written over unseen
        store_outputs(folder, TEACHER, SPLIT, shard=SHARD, names=BOTH)


def test_what_the_message_advises_helps(folder):
    before = contents(folder)
    for name in (SHARDS[1], "manifest.json"):
        (folder / name).write_bytes(b"")
        with pytest.raises(ValueError, match="delete it, and the same store_outputs writes it"):
            load_outputs(folder, TEACHER, SPLIT)
        (folder / name).unlink()
        with pytest.raises(ValueError, match=r"store_outputs (goes on|makes a store) there"):
            load_outputs(folder, TEACHER, SPLIT)
        assert store_outputs(folder, TEACHER, SPLIT, shard=SHARD, names=BOTH) == (name in SHARDS)
        assert contents(folder) == before
        load_outputs(folder, TEACHER, SPLIT)


def test_a_shard_with_more_behind_it_is_refused(folder):
    with (folder / SHARDS[3]).open("ab") as file:
        file.write(b"\0")
    refused(folder, f"{SHARDS[3]} is cut off, changed or foreign")


def test_shards_that_changed_places_are_refused(folder):
    one, other = folder / SHARDS[1], folder / SHARDS[2]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    refused(folder, f"{SHARDS[1]} is cut off, changed or foreign")


@pytest.mark.parametrize("foreign", [nudged(), TEACHER], ids=["another teacher", "other data"])
def test_a_shard_of_another_store_is_refused(folder, tmp_path, foreign):
    split = SPLIT if foreign is not TEACHER else changed_inputs()
    store_outputs(tmp_path / "other", foreign, split, shard=SHARD, names=BOTH)
    shutil.copy(tmp_path / "other" / SHARDS[0], folder)
    refused(folder, f"{SHARDS[0]} is cut off, changed or foreign")


def test_rows_in_another_order_within_a_shard_are_refused(folder):
    table = np.load(folder / SHARDS[0])
    seal = (folder / SHARDS[0]).read_bytes()[-32:]
    with (folder / SHARDS[0]).open("wb") as file:
        np.save(file, table[::-1])
        file.write(seal)
    refused(folder, f"{SHARDS[0]} is cut off, changed or foreign")


def test_a_pickle_in_place_of_a_shard_is_not_opened(folder):
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was executed",)

    np.save(folder / SHARDS[0], np.array([Trap()], object), allow_pickle=True)
    refused(folder, f"{SHARDS[0]} is cut off, changed or foreign")


def test_a_folder_without_a_store_is_refused(tmp_path):
    refused(tmp_path, f"{tmp_path} has no manifest.json: store_outputs makes a store there")
    refused(tmp_path / "nowhere", "has no manifest.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", "null", '{"format": "zarr"}', "\xff"])
def test_a_manifest_of_something_else_is_refused(folder, text):
    (folder / "manifest.json").write_text(text, "latin-1")
    refused(folder, "manifest.json is no manifest of a store (")


@pytest.mark.parametrize(
    "change",
    [
        *({"shard": shard} for shard in (0, -8, "8", 37)),
        *({"type": kind} for kind in ("O", 3, "<f8")),
        *({"scores": scores} for scores in (3, {"logits": -1}, {"index": 3})),
    ],
)
def test_a_manifest_that_was_edited_is_refused(folder, change):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change, indent=1), "utf-8")
    with pytest.raises(ValueError, match=r"is no manifest of a store|is cut off, changed"):
        load_outputs(folder, TEACHER, SPLIT)


def test_an_unfinished_store_names_what_is_missing(folder):
    for name in SHARDS[1:3]:
        (folder / name).unlink()
    refused(folder, f"{folder} lacks ['00001.npy', '00002.npy']: the same store_outputs goes on")


# What cannot be stored


class Shouting:
    """A model whose logits are what they are told to be."""

    vector = np.zeros(1)

    def __init__(self, value):
        self.value = value

    def scores(self, inputs):
        logits = np.zeros((len(inputs), 3), np.float32)
        logits[inputs[:, 0] == INPUTS[20, 0]] = self.value
        return {"logits": logits}


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, None), (np.inf, None), (1e5, np.float16)])
def test_scores_that_the_type_cannot_hold_are_not_stored(tmp_path, value, dtype):
    with pytest.raises(ValueError, match=r"logits of shard 2, as float\d\d, must be finite, got"):
        store_outputs(tmp_path, Shouting(value), SPLIT, shard=SHARD, dtype=dtype)
    assert sorted(contents(tmp_path)) == [*SHARDS[:2], "manifest.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": INPUTS}, "split must be a Split, got ndarray"),
        ({"model": "a forest"}, "must have its parameters in one vector, got str"),
        ({"shard": 0}, "shard must be a whole number of at least 1, got 0"),
        ({"workers": 0}, "workers must be a whole number of at least 1, got 0"),
        ({"worker": 2, "workers": 2}, "worker must be a whole number in 0 .. 1, got 2"),
        ({"names": ("hidden_1",)}, "\"logits\" among them, got ('hidden_1',)"),
        ({"names": ("logits", "more")}, "names must be some of ['hidden_1', 'logits'], "),
        ({"names": "logits"}, "\"logits\" among them, got 'logits'"),
        ({"dtype": int}, "dtype must be np.float16, np.float32 or np.float64, got <class 'int'>"),
    ],
)
def test_arguments_not_as_described_are_refused_and_nothing_is_written(
    tmp_path, arguments, message
):
    given = {"folder": tmp_path / "store", "model": TEACHER, "split": SPLIT} | arguments
    with pytest.raises(ValueError, match=re.escape(message)):
        store_outputs(**given)
    assert not (tmp_path / "store").exists()


# Interruptions, and many at once


class Counted(MLP):
    """A teacher that counts its answers."""

    asked = 0

    def scores(self, inputs):
        type(self).asked += len(inputs)
        return super().scores(inputs)


@pytest.fixture
def counted():
    Counted.asked = 0
    return Counted((2, 4, 3), seed=1)


def test_a_store_that_is_whole_asks_the_teacher_nothing(tmp_path, counted):
    assert store_outputs(tmp_path, counted, SPLIT, shard=SHARD) == 5
    assert Counted.asked == N + 1  # one example tells which scores there are
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert store_outputs(tmp_path, counted, SPLIT, shard=SHARD) == 0 and Counted.asked == N + 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    load_outputs(tmp_path, counted, SPLIT)
    assert Counted.asked == N + 2


class Stop(BaseException):
    """Stands for a power cut."""


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("after", range(6))  # the manifest and five shards
def test_stopped_before_any_step_of_writing_it_goes_on_and_loses_nothing(
    tmp_path, monkeypatch, counted, step, after
):
    whole, part = tmp_path / "whole", tmp_path / "part"
    store_outputs(whole, counted, SPLIT, shard=SHARD)
    done, plain = [], getattr(os, step)

    def stopped(*arguments):
        if len(done) == after:
            raise Stop
        done.append(arguments)
        return plain(*arguments)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(os, step, stopped)
        store_outputs(part, counted, SPLIT, shard=SHARD)
    before = {n: c for n, c in contents(part).items() if not n.endswith(".part")}
    assert len(before) == after and before.items() <= contents(whole).items()
    with pytest.raises(ValueError, match="store_outputs"):
        load_outputs(part, counted, SPLIT)
    Counted.asked = 0
    rest = 5 - max(0, after - 1)
    assert store_outputs(part, counted, SPLIT, shard=SHARD) == rest
    assert Counted.asked == 1 + N - max(0, after - 1) * SHARD
    assert contents(part) == contents(whole)


def test_workers_share_the_shards_and_each_is_written_once(tmp_path, counted):
    arguments = {"shard": SHARD, "workers": 3}
    written = [store_outputs(tmp_path, counted, SPLIT, worker=k, **arguments) for k in (2, 0, 1)]
    assert written == [1, 2, 2] and Counted.asked == N + 3
    assert sorted(contents(tmp_path)) == [*SHARDS, "manifest.json"]
    loaded = load_outputs(tmp_path, counted, SPLIT)
    np.testing.assert_allclose(loaded.at(SPLIT.index), OUTPUTS.at(SPLIT.index), atol=1e-6)


def test_one_alone_finishes_for_a_worker_that_never_came_back(tmp_path, counted):
    store_outputs(tmp_path, counted, SPLIT, shard=SHARD, worker=0, workers=2)
    with pytest.raises(ValueError, match=re.escape("lacks ['00001.npy', '00003.npy']")):
        load_outputs(tmp_path, counted, SPLIT)
    assert store_outputs(tmp_path, counted, SPLIT, shard=SHARD) == 2


# Started once, it starts and kills many: each is a fork, and imports nothing anew. Forks share the
# lock of their progress bars, and one that is killed holding it would stop the others for good:
# here each has its own, as processes that are started one by one have.
KILLS = """
import json, os, random, signal, sys, time
from pathlib import Path
from threading import RLock

import numpy as np
from tqdm import tqdm

from distill_lib import MLP, TeacherOutputs, load_outputs, store_outputs
from distill_lib.data import Split

tqdm.set_lock(RLock())
tqdm.monitor_interval = 0  # a thread of the parent's could hold it at a fork
home, kills, at_once = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng, moment = np.random.default_rng(0), random.Random(0)
n, shard = 240, 4
inputs = rng.normal(size=(n, 2)).astype(np.float32)
split, teacher = Split(inputs, np.zeros(n, int), rng.permutation(n)), MLP((2, 4, 3))
expected = TeacherOutputs.of(teacher, split).at(split.index)


def start(folder, worker=0, workers=1):
    if child := os.fork():
        return child
    try:
        store_outputs(folder, teacher, split, shard=shard, worker=worker, workers=workers)
    finally:
        os._exit(0)


def whole(folder):
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes())
            for p in folder.iterdir() if p.suffix != ".part"}


landed = stores = most = parts = 0
while landed < kills:
    folder, before = home / str(stores), {}
    folder.mkdir()
    while len(before) < 1 + n // shard and landed < kills:
        children = [start(folder, k, at_once) for k in range(at_once)]
        files, ended = len(os.listdir(folder)) + moment.randrange(4), []
        while len(os.listdir(folder)) < files and len(ended) < at_once:  # a part is a file, too
            time.sleep(0.0002)
            ended += [c for c in children if c not in ended and os.waitpid(c, os.WNOHANG)[0]]
        time.sleep(moment.uniform(0, 0.003))
        for child in {*children} - {*ended}:
            os.kill(child, signal.SIGKILL)
            landed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        after = whole(folder)
        assert before.items() <= after.items(), "a file was lost, changed or written again"
        before = after
        parts += len([*folder.glob("*.part")])
    most = max(most, len(before))
    store_outputs(folder, teacher, split, shard=shard)
    assert before.items() <= whole(folder).items()
    assert len([*folder.iterdir()]) == 1 + n // shard, "something is left over"
    index = np.concatenate([np.load(p)["index"] for p in sorted(folder.glob("*.npy"))])
    assert np.array_equal(index, split.index), "an example is lost or doubled"
    found = load_outputs(folder, teacher, split).at(split.index)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    stores += 1
print(json.dumps({"landed": landed, "stores": stores, "most": most, "parts": parts}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it needs fork")
@pytest.mark.parametrize("at_once", [1, 3])
def test_killed_fifty_times_at_random_moments_it_loses_and_doubles_nothing(tmp_path, at_once):
    command = [sys.executable, "-c", KILLS, str(tmp_path), "50", str(at_once)]
    environment = os.environ | {"TQDM_DISABLE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["landed"] >= 50 and told["most"] > 20 and told["parts"], told


def test_two_full_runs_at_once_end_in_one_store(tmp_path, monkeypatch, counted):
    """By mistake: the second finishes, and tidies up, while the first is about to put its last."""
    plain, depth = os.replace, []

    def replace_later(beside, path):
        if path.name == SHARDS[4] and not depth:
            depth.append(path)
            store_outputs(tmp_path, counted, SPLIT, shard=SHARD)
        plain(beside, path)

    monkeypatch.setattr(os, "replace", replace_later)
    store_outputs(tmp_path, counted, SPLIT, shard=SHARD)
    assert depth and sorted(contents(tmp_path)) == [*SHARDS, "manifest.json"]
    load_outputs(tmp_path, counted, SPLIT)
