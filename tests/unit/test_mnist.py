"""MNIST: files that are refused unless they are right, and downloads that end whole or not at all.

The tests make small files of their own, and a server on this machine that breaks off, lies, or is
slow. Where the real files are (in the folder that DISTILL_MNIST names, or beside the project), the
last tests look at them; where they are not, the summary says so.
"""

import ast
import errno
import gzip
import hashlib
import http.server
import importlib
import io
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tqdm.std
from oracles import real_mnist

from distill_lib import Dataset, mnist

MODULE = importlib.import_module("distill_lib.mnist")  # `distill_lib.mnist` is the function
ROOT = Path(__file__).resolve().parents[2]
PUBLISHED, NAMES = dict(MODULE.FILES), list(MODULE.FILES)
REAL = real_mnist()
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = NAMES
SIZES = {"train": 300, "t10k": 50}  # the images are more than a piece of a download


def idx(array, magic=None):
    """The bytes of an array in the format of these files, before they are packed."""
    head = (0x800 + array.ndim if magic is None else magic, *array.shape)
    return b"".join(n.to_bytes(4, "big") for n in head) + array.tobytes()


def pack(content):
    return gzip.compress(content, mtime=0)


RNG = np.random.default_rng(0)
ARRAYS = {
    IMAGES: RNG.integers(0, 256, (300, 28, 28), np.uint8),
    LABELS: RNG.permutation(np.arange(300, dtype=np.uint8) % 10),
    TEST_IMAGES: RNG.integers(0, 256, (50, 28, 28), np.uint8),
    TEST_LABELS: RNG.permutation(np.arange(50, dtype=np.uint8) % 10),
}
SMALL = {name: pack(idx(array)) for name, array in ARRAYS.items()}
FILES = {name: (hashlib.sha256(file).hexdigest(), len(file)) for name, file in SMALL.items()}


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """The small files are the right ones, there is no network, and the cache is empty."""
    monkeypatch.setattr(MODULE, "FILES", FILES)
    monkeypatch.setattr(MODULE, "N_EXAMPLES", SIZES)
    monkeypatch.setattr(MODULE, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("DISTILL_MNIST", str(tmp_path / "cache"))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    """A folder that has the four files."""
    folder = tmp_path / "named"
    folder.mkdir()
    for name, file in SMALL.items():
        (folder / name).write_bytes(file)
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def load(folder=None):
    return mnist(folder, n_validation=60)


def check_is_right(data):
    """Every number is that of the small files, at its index."""
    images = np.concatenate([ARRAYS[IMAGES], ARRAYS[TEST_IMAGES]]).reshape(350, 784)
    labels = np.concatenate([ARRAYS[LABELS], ARRAYS[TEST_LABELS]])
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(split.labels, labels[split.index])
        np.testing.assert_allclose(split.inputs, images[split.index] / 255, rtol=1e-6)


# what a reader gets


def test_files_become_a_data_set_like_the_others(folder):
    data = load(folder)
    assert isinstance(data, Dataset) and data.name == "mnist" and data.n_classes == 10
    check_is_right(data)
    assert data.transfer is data.train
    assert data.train.inputs.shape == (240, 784) and data.train.inputs.dtype == np.float32
    assert data.train.inputs.min() == 0 and data.train.inputs.max() == 1
    assert len(data.with_few_labels(20).transfer.labelled) == 20  # -1 has room among the labels


def test_each_example_is_in_one_split_and_the_test_set_is_the_published_one(folder):
    data = load(folder)
    together = np.concatenate([data.train.index, data.validation.index])
    np.testing.assert_array_equal(np.sort(together), np.arange(300))
    np.testing.assert_array_equal(data.test.index, np.arange(300, 350))


def test_the_validation_split_is_always_the_same_and_a_smaller_one_is_a_part_of_it(folder):
    again, less = load(folder), mnist(folder, n_validation=20)
    np.testing.assert_array_equal(load(folder).validation.index, again.validation.index)
    np.testing.assert_array_equal(again.validation.index[:20], less.validation.index)


def test_pixels_come_in_float64_too(folder):
    data = mnist(folder, np.float64, 60)
    assert data.test.inputs.dtype == np.float64
    np.testing.assert_array_equal(data.test.inputs, ARRAYS[TEST_IMAGES].reshape(50, -1) / 255)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, str])
def test_pixels_come_in_two_types_alone(dtype):
    with pytest.raises(ValueError, match=re.escape("dtype must be np.float32 or np.float64")):
        mnist(dtype=dtype)


@pytest.mark.parametrize("n", [0, -1, 300, 0.2, None, True])
def test_some_examples_are_left_to_train_on(n):
    message = f"n_validation must be a whole number in 1 .. 299, got {n!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        mnist(n_validation=n)


def test_the_variable_names_the_folder_and_an_argument_goes_before_it(folder, monkeypatch):
    monkeypatch.setenv("DISTILL_MNIST", str(folder))
    check_is_right(load())
    monkeypatch.setenv("DISTILL_MNIST", "/nowhere")
    check_is_right(load(folder))
    check_is_right(load(str(folder)))


@pytest.mark.parametrize(
    ("platform", "cache"),
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
@pytest.mark.parametrize("variable", [None, ""])
def test_without_a_name_the_cache_of_the_user_is_taken(
    platform, cache, variable, folder, monkeypatch
):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("DISTILL_MNIST")
    if variable is not None:
        monkeypatch.setenv("DISTILL_MNIST", variable)
    home = folder.parent / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setattr(sys, "platform", platform)
    place = home / cache / "distill_lib/mnist"
    place.parent.mkdir(parents=True)
    folder.rename(place)
    check_is_right(load())
    if platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
        (home / "elsewhere").mkdir()
        place.parent.rename(home / "elsewhere/distill_lib")
        check_is_right(load())


# files that are refused

BOMB = pack(bytes(150_000_000))
BOMB += bytes(len(SMALL[IMAGES]) - len(BOMB))
CONTENT = idx(ARRAYS[LABELS])
OTHER = SMALL[LABELS][:9] + b"\0" + SMALL[LABELS][10:]  # the same numbers: a byte that says nothing
MORE = f"must have {len(SMALL[LABELS])} bytes, got more, from b'"
WRONG = {
    "empty": (b"", f"must have {len(SMALL[LABELS])} bytes, got 0"),
    "cut off": (SMALL[LABELS][:-20], f"bytes, got {len(SMALL[LABELS]) - 20}"),
    "cut off in its first bytes": (SMALL[LABELS][:12], "bytes, got 12"),
    "one byte short": (SMALL[LABELS][:-1], f"bytes, got {len(SMALL[LABELS]) - 1}"),
    "images": (SMALL[IMAGES], MORE),
    "the test set": (SMALL[TEST_LABELS], f"bytes, got {len(SMALL[TEST_LABELS])}"),
    "a wrong magic number": (pack(idx(ARRAYS[LABELS], 0x901)), "must"),
    "more behind it": (SMALL[LABELS] + b"\0", MORE),
    "another file behind it": (SMALL[LABELS] * 2, MORE),
    "more in it": (pack(CONTENT + b"\0"), "must"),
    "less in it": (pack(CONTENT[:-1]), "must"),
    "not packed": (CONTENT, "got more, from b'\\x00\\x00\\x08\\x01"),
    "a web page": (b"<!DOCTYPE html><p>Log in", "got 24, from b'<!DOCTYPE html>"),
    "packed in another way": (zlib.compress(CONTENT), "it must have"),
    "a pickle": (pickle.dumps(ARRAYS[LABELS]), MORE),
    "packed elsewhere": (OTHER, f"got {hashlib.sha256(OTHER).hexdigest()}"),
    "packed at another time": (gzip.compress(CONTENT, mtime=1), "its SHA-256 must be "),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_says_why_and_stays(folder, wrong, message):
    (folder / LABELS).write_bytes(wrong)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load(folder)
    words = str(error.value)
    assert words.startswith(f"{folder / LABELS} is not what it should be: it")
    assert words.endswith("; delete it, and the next call downloads it")
    assert contents(folder) == SMALL | {LABELS: wrong}, "the reader's own files are left alone"


def test_labels_in_the_place_of_images_are_refused(folder):
    (folder / TEST_IMAGES).write_bytes(SMALL[TEST_LABELS])
    message = f"must have {len(SMALL[TEST_IMAGES]):,} bytes, got {len(SMALL[TEST_LABELS])}, from"
    with pytest.raises(ValueError, match=re.escape(message)):
        load(folder)


def test_a_file_cut_off_anywhere_is_refused():
    for end in range(len(SMALL[LABELS])):
        with pytest.raises(ValueError, match=f"bytes, got {end}, from"):
            MODULE._unpacked(SMALL[LABELS][:end], LABELS)


def test_a_file_with_any_wrong_byte_is_refused():
    for place in range(len(SMALL[LABELS])):
        wrong = bytearray(SMALL[LABELS])
        wrong[place] ^= 0b100
        with pytest.raises(ValueError, match="its SHA-256 must be"):
            MODULE._unpacked(bytes(wrong), LABELS)


def test_a_bomb_is_stopped_and_a_huge_file_not_read(folder):
    """150 MB that pack into as little as the images do, and 100 MB in the place of 200 bytes."""
    assert len(BOMB) == len(SMALL[IMAGES])
    for name, wrong in ((IMAGES, BOMB), (LABELS, SMALL[LABELS] + bytes(100_000_000))):
        (folder / name).write_bytes(wrong)
        tracemalloc.start()
        with pytest.raises(ValueError, match=r"SHA-256 must be|bytes, got more"):
            load(folder)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        (folder / name).write_bytes(SMALL[name])
        assert peak < 2_000_000, "about what the small images need"


def test_nothing_in_a_file_is_executed(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    for trap in (pickle.dumps(Trap()), pack(pickle.dumps(Trap()))):
        (folder / IMAGES).write_bytes(trap)
        with pytest.raises(ValueError, match="is not what it should be"):
            load(folder)
    assert not (tmp_path / "sprung").exists()


# downloads


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves the small files; what stands before the name in the path says how."""

    asked: list  # (way, name, first byte asked for)
    resumed: threading.Event
    both: threading.Barrier

    def log_message(self, *_):
        pass

    def do_GET(self):
        way, name = self.path.split("/")[1:]
        start = int(re.sub(r"bytes=(\d+)-|.*", r"\1", self.headers.get("Range", "")) or 0)
        self.asked.append((way, name, start))
        getattr(self, way)(name, SMALL[name], start)

    def answer(self, file, start=0, whole=None, pieces=1 << 16, pause=0.0):
        """Send `file` from `start` on, of which as much as `whole` was promised."""
        promised = (len(file) if whole is None else whole) - start
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        for place in range(start, len(file), pieces):
            self.wfile.write(file[place : place + pieces])
            self.wfile.flush()
            time.sleep(pause)

    def good(self, name, file, start):
        self.answer(file, start)

    def plain(self, name, file, start):
        """It has never heard of ranges."""
        self.answer(file)

    def breaks(self, name, file, start):
        """It sends half of what is left, and hangs up."""
        self.answer(file[: (start + len(file) + 1) // 2], start, len(file))

    def breaks_plain(self, name, file, start):
        self.answer(file[: len(file) // 2], 0, len(file))

    def elsewhere(self, name, file, start):
        """It goes on, but with another part than the one that it was asked for."""
        self.answer(bytes(start) + file[::-1][start:] if start else file, start)

    def refuses(self, name, file, start):
        if start:
            self.send_error(416)
        else:
            self.breaks(name, file, start)

    def slow(self, name, file, start):
        self.answer(file, start, pieces=len(file) // 20 + 1, pause=0.02)

    def stalls(self, name, file, start):
        """It sends half, and then nothing, without hanging up."""
        self.answer(file[: len(file) // 2], start, len(file))
        self.resumed.wait(30)

    def together(self, name, file, start):
        """It sends half of the first file, and the rest when another has come for it as well."""
        half = (start + len(file)) // 2
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(file) - start))
        self.end_headers()
        self.wfile.write(file[start:half])
        if name == IMAGES:
            self.both.wait(60)
        self.wfile.write(file[half:])

    def missing(self, name, file, start):
        self.send_error(404)

    def portal(self, name, file, start):
        self.answer(b"<html>Log in to this network</html>")

    def images(self, name, file, start):
        self.answer(SMALL[IMAGES])

    def damaged(self, name, file, start):
        self.answer(file[:-8] + bytes(8))

    def short(self, name, file, start):
        """It has a file of another length, and thinks nothing is missing."""
        self.answer(file[:-9])

    def endless(self, name, file, start):
        """Nobody should take even a part of the 50 MB that it would send."""
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(500):
                self.wfile.write(bytes(file) + bytes(100_000))
            self.asked.append(("sent it all", name, 0))
        except OSError:
            pass

    def nonsense(self, name, file, start):
        self.wfile.write(b"What do you want?\r\n\r\n")


@pytest.fixture
def server(monkeypatch):
    """Starts mirrors that behave so; returns what they were asked for."""
    Mirror.asked, Mirror.resumed, Mirror.both = [], threading.Event(), threading.Barrier(2)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def start(*ways):
        urls = tuple(f"http://127.0.0.1:{server.server_port}/{way}/" for way in ways)
        monkeypatch.setattr(MODULE, "MIRRORS", urls)
        Mirror.asked.clear()
        return Mirror.asked

    yield start
    Mirror.resumed.set()
    server.shutdown()
    server.server_close()


def test_what_is_not_there_is_downloaded_once(server, cache):
    asked = server("good")
    check_is_right(load())
    assert contents(cache) == SMALL, "four files, and nothing beside them"
    assert asked == [("good", name, 0) for name in NAMES]
    check_is_right(load())
    assert len(asked) == 4


def test_a_progress_bar_shows_what_has_come_of_which_file(server, cache, monkeypatch):
    out = io.StringIO()
    bar = partial(tqdm.std.tqdm, file=out, disable=False, mininterval=0, miniters=1)
    monkeypatch.setattr(MODULE, "tqdm", bar)
    server("breaks", "good")
    load()
    lines = [line for line in out.getvalue().split("\r") if IMAGES in line]
    shares = [int(share) for share in re.findall(r"(\d+)%", "".join(lines))]
    assert shares == sorted(shares), "the second goes on at the half, and not at 0"
    assert shares[0] == 0 and shares.count(50) >= 2 and shares[-1] == 100
    size = f"{len(SMALL[IMAGES]) / 1000:.0f}k"
    assert f"/{size}" in lines[-1], "bytes, in thousands"


def test_only_what_is_missing_is_downloaded(server, folder):
    asked = server("good")
    (folder / TEST_LABELS).unlink()
    check_is_right(load(folder))
    assert asked == [("good", TEST_LABELS, 0)] and contents(folder) == SMALL


@pytest.mark.parametrize("way", ["good", "plain", "slow"])
def test_a_mirror_need_not_know_of_ranges_nor_be_fast(way, server, cache):
    server(way)
    check_is_right(load())
    assert contents(cache) == SMALL


def test_a_download_that_breaks_off_goes_on_where_it_did(server, cache):
    asked = server("breaks", "good")
    check_is_right(load())
    half = (len(SMALL[IMAGES]) + 1) // 2
    assert asked[:2] == [("breaks", IMAGES, 0), ("good", IMAGES, half)]
    assert contents(cache) == SMALL


def test_the_next_call_goes_on_too(server, cache):
    server("breaks")
    with pytest.raises(ConnectionError, match=r"it broke off after .* of .* bytes"):
        load()
    (part,) = contents(cache).values()
    assert SMALL[IMAGES].startswith(part) and len(part) > len(SMALL[IMAGES]) / 2
    asked = server("good")
    check_is_right(load())
    assert asked[0] == ("good", IMAGES, len(part)) and contents(cache) == SMALL


def test_without_ranges_a_download_begins_again(server, cache):
    asked = server("breaks_plain", "plain")
    check_is_right(load())
    assert asked[1] == ("plain", IMAGES, len(SMALL[IMAGES]) // 2) and contents(cache) == SMALL


def test_what_is_kept_is_always_the_beginning_of_the_file(server, cache):
    """Also where a mirror begins again, and breaks off again."""
    server("breaks_plain")
    with pytest.raises(ConnectionError):
        load()
    (part,) = contents(cache).values()
    assert part and SMALL[IMAGES].startswith(part)


def test_what_came_whole_needs_no_network(folder):
    """As where the computer was switched off between the last byte and its place."""
    (folder / IMAGES).rename(folder / f"{IMAGES}.part")
    check_is_right(load(folder))
    assert contents(folder) == SMALL


@pytest.mark.parametrize("way", ["good", "plain", "elsewhere"])
@pytest.mark.parametrize(
    "part",
    [b"", b"<html>", SMALL[LABELS], bytes(100), SMALL[IMAGES][:100] + b"!", SMALL[IMAGES] * 2],
    ids=["empty", "a page", "labels", "zeros", "damaged", "too long"],
)
def test_a_wrong_beginning_is_thrown_away(part, way, server, folder):
    server(way)
    (folder / IMAGES).unlink()
    (folder / f"{IMAGES}.part").write_bytes(part)
    check_is_right(load(folder))
    assert contents(folder) == SMALL


LIES = {
    "missing": "HTTP Error 404",
    "portal": "from b'<html>Log in to",
    "images": "bytes, got more",
    "damaged": "its SHA-256 must be",
    "short": "it broke off after",
    "endless": "got more",
    "nonsense": "What do you want?",
    "stalls": "timed out",
    "breaks_plain": "it broke off after",
    "refuses": "416",
}


@pytest.mark.parametrize(("way", "fault"), LIES.items(), ids=LIES)
def test_a_mirror_that_is_no_good_is_passed_over_or_named(way, fault, server, folder, monkeypatch):
    monkeypatch.setattr(MODULE, "PATIENCE", 1 if way == "stalls" else 10)
    (folder / LABELS).unlink()
    server(way, "good")
    check_is_right(load(folder))
    assert contents(folder) == SMALL
    (folder / LABELS).unlink()
    server(way)
    with pytest.raises(ConnectionError, match=re.escape(fault)) as error:
        load(folder)
    words = str(error.value)
    assert words.startswith(f"{folder / LABELS} is not there") and f"/{way}/" in words
    assert "name a folder with the files in DISTILL_MNIST" in words
    assert set(contents(folder)) - {f"{LABELS}.part"} == set(NAMES) - {LABELS}
    server("good")
    check_is_right(load(folder))
    assert contents(folder) == SMALL


def test_an_endless_file_is_not_waited_for(server, folder):
    (folder / LABELS).unlink()
    asked = server("endless", "good")
    check_is_right(load(folder))
    assert asked == [("endless", LABELS, 0), ("good", LABELS, 0)]


def test_without_a_network_the_error_says_what_to_do(cache):
    with pytest.raises(ConnectionError) as error:
        load()
    words = str(error.value)
    assert str(cache / IMAGES) in words and "http://127.0.0.1:9/" in words
    assert "refused" in words and "DISTILL_MNIST" in words
    assert contents(cache) == {}


def test_every_mirror_is_asked_over_https():
    source = (ROOT / "distill_lib/mnist.py").read_text("utf-8")
    mirrors = re.findall(r'"(\w+)://[^"]+/"', source)
    assert mirrors == ["https"] * len(mirrors) and len(mirrors) >= 2


# what stops halfway


class Full:
    """A file on a disk that has room for so many bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        written = self.file.write(content[: self.room])
        self.room -= written
        if written < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written


@pytest.mark.parametrize("room", [0, 1000, len(SMALL[IMAGES]), len(SMALL[IMAGES]) * 3 // 2])
def test_a_full_disk_is_named_and_what_came_is_kept(room, server, cache, monkeypatch):
    """First there is room for a part of the file, then for it and a part of its second copy."""
    server("good")
    open_path, disk = Path.open, []

    def open_full(path, mode="r", *args, **kwargs):
        file = open_path(path, mode, *args, **kwargs)
        if mode == "rb" or path.parent != cache:
            return file
        disk.append(Full(file, disk[-1].room if disk else room))
        return disk[-1]

    def write_bytes(path, content):
        with path.open("wb") as file:
            return file.write(content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_full)
        patch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(OSError, match="No space left on device") as error:
            load()
    assert error.value.errno == errno.ENOSPC
    words = str(error.value)
    assert (
        f"{cache} cannot hold {IMAGES}" in words and "make room there (20 MB are enough)" in words
    )
    assert set(contents(cache)) == {f"{IMAGES}.part"}
    kept = contents(cache)[f"{IMAGES}.part"]
    assert len(kept) == min(room, len(SMALL[IMAGES])) and SMALL[IMAGES].startswith(kept)
    check_is_right(load())
    assert contents(cache) == SMALL


def test_a_folder_that_cannot_be_written_is_named(server, cache):
    server("good")
    cache.write_text("I am a file.")
    with pytest.raises(OSError, match=re.escape(f"{cache} cannot hold {IMAGES}")) as error:
        load()
    assert "name another folder in DISTILL_MNIST" in str(error.value)
    assert cache.read_text() == "I am a file."


def test_a_reader_who_stops_it_loses_nothing(server, cache, monkeypatch):
    server("slow")
    pieces = MODULE._pieces

    def stopped(*args):
        for count, piece in enumerate(pieces(*args)):
            if count == 2:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(MODULE, "_pieces", stopped)
    with pytest.raises(KeyboardInterrupt):
        load()
    monkeypatch.setattr(MODULE, "_pieces", pieces)
    (part,) = contents(cache).values()
    assert part and SMALL[IMAGES].startswith(part)
    asked = server("good")
    check_is_right(load())
    assert asked[0] == ("good", IMAGES, len(part)) and contents(cache) == SMALL


LOADER = f"""
import hashlib, importlib, sys
module = importlib.import_module("distill_lib.mnist")
module.FILES, module.N_EXAMPLES, module.MIRRORS = {FILES}, {SIZES}, (sys.argv[1],)
data = module.mnist(sys.argv[2], n_validation=60)
print(hashlib.sha256(data.train.inputs.tobytes() + data.test.inputs.tobytes()).hexdigest())
"""


def start_loader(folder):
    """Another process that asks for the data."""
    command = [sys.executable, "-c", LOADER, MODULE.MIRRORS[0], str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **pipes)


def test_two_processes_at_once_both_get_the_right_data(server, cache):
    asked = server("together")
    processes = [start_loader(cache) for _ in range(2)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert [name for _, name, _ in asked[:2]] == [IMAGES] * 2, "at the same time, indeed"
    data = load()
    check_is_right(data)
    expected = hashlib.sha256(data.train.inputs.tobytes() + data.test.inputs.tobytes()).hexdigest()
    assert [output for output, _ in results] == [expected + "\n"] * 2
    assert contents(cache) == SMALL


def test_a_process_that_is_killed_leaves_nothing_half_written(server, cache):
    server("stalls")
    process = start_loader(cache)
    part = cache / f"{IMAGES}.part"
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate()
    assert set(contents(cache)) == {part.name}
    kept = part.read_bytes()
    assert kept and SMALL[IMAGES].startswith(kept)
    asked = server("good")
    check_is_right(load())
    assert asked[0] == ("good", IMAGES, len(kept)) and contents(cache) == SMALL


def test_whoever_comes_second_leaves_the_first_ones_file(server, cache, monkeypatch):
    """Another process puts the file into its place while this one still receives it."""
    server("good")
    received = MODULE._received

    def overtaken(url, name, kept):
        content = received(url, name, kept)
        (cache / name).write_bytes(SMALL[name])
        (cache / name).chmod(0o444)
        return content

    monkeypatch.setattr(MODULE, "_received", overtaken)
    check_is_right(load())
    assert {path.stat().st_mode & 0o777 for path in cache.iterdir()} == {0o444}
    assert contents(cache) == SMALL


def test_what_a_download_needs_is_imported_only_for_one():
    """`import distill_lib` shall stay quick: the standard library's network takes its time."""
    body = ast.parse((ROOT / "distill_lib/mnist.py").read_text("utf-8")).body
    modules = [node.module for node in body if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    assert "hashlib" in modules
    assert not {module.split(".")[0] for module in modules} & {"urllib", "http", "socket", "ssl"}


# the real files

REAL_FILES = pytest.mark.skipif(
    REAL is None, reason="no folder with the real files of MNIST: name it in DISTILL_MNIST"
)
# As published with the files, and as others have counted.
MD5 = {
    IMAGES: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    LABELS: "d53e105ee54ea40749a09fcbcd1e9432",
    TEST_IMAGES: "9fb629c4189551a2d022fa330f9573f3",
    TEST_LABELS: "ec29112dd5afa0611ce80d1b7f02629c",
}


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setattr(MODULE, "FILES", PUBLISHED)
    monkeypatch.setattr(MODULE, "N_EXAMPLES", {"train": 60_000, "t10k": 10_000})
    return REAL


@REAL_FILES
def test_the_real_checksums_are_those_of_the_published_files(real):
    for name, (sha256, size) in PUBLISHED.items():
        content = (real / name).read_bytes()
        assert hashlib.md5(content).hexdigest() == MD5[name]
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)


@REAL_FILES
def test_the_real_digits_are_those_that_everybody_has(real):
    data = mnist(real)
    assert repr(data) == (
        "Dataset('mnist', 10 classes; train 50000, transfer 50000, validation 10000, test 10000)"
    )
    labels = np.concatenate([data.train.labels, data.validation.labels])
    index = np.concatenate([data.train.index, data.validation.index])
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(labels).tolist() == counts
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(data.test.labels).tolist() == counts
    assert labels[np.argsort(index)][:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    pixels = sum(s.inputs.sum(dtype=float) for s in (data.train, data.validation))
    squares = sum(np.square(s.inputs, dtype=float).sum() for s in (data.train, data.validation))
    mean = pixels / (60_000 * 784)
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(squares / (60_000 * 784) - mean**2) == pytest.approx(0.3081, abs=5e-5)
    assert data.test.inputs.mean(dtype=float) == pytest.approx(0.1325, abs=5e-5)

    splits = hashlib.sha256(index.astype("<i8").tobytes()).hexdigest()[:16]
    assert splits == "2d30f009765990b1", "a change here changes every number of MNIST in the book"
