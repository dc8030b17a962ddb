"""The service answers real requests as the student would, and says what is wrong with bad ones.

Where there is no FastAPI, the report says so, and what to do about it.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from distill_lib import MLP, Network, digits, softmax

WHERE = (
    "`make torch` runs it in an environment with FastAPI (or pip install fastapi httpx2 uvicorn)"
)
pytest.importorskip("fastapi", reason=f"needs FastAPI: {WHERE}")
pytest.importorskip("httpx2", reason=f"needs httpx2: {WHERE}")
from fastapi.testclient import TestClient  # noqa: E402

from bridges import serve  # noqa: E402
from bridges.watch import Watch  # noqa: E402

DIGITS = digits()
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
STUDENT = MLP((64, 16, 10), seed=1)
STUDENT.vector *= 3
JSON = {"Content-Type": "application/json"}
ROW = DIGITS.test.inputs[0].tolist()


@pytest.fixture
def client():
    return TestClient(serve.create_app(STUDENT, NAMES))


def post(client, inputs, status=200):
    """The answer to a request, its JSON written by Python, which knows nan."""
    answer = client.post("/predict", content=json.dumps({"inputs": inputs}), headers=JSON)
    assert answer.status_code == status, answer.text
    return answer.json()


def faults(answer):
    return {fault["where"]: fault["message"] for fault in answer["detail"]}


def test_it_answers_as_the_student_does(client):
    inputs = DIGITS.test.inputs[:50]
    predictions = post(client, inputs.tolist())["predictions"]
    assert [NAMES.index(p["answer"]) for p in predictions] == STUDENT.predict(inputs).tolist()
    p = [[prediction["probabilities"][name] for name in NAMES] for prediction in predictions]
    np.testing.assert_allclose(p, softmax(STUDENT.logits(inputs)), atol=1e-6)


def test_whole_numbers_are_numbers(client):
    assert post(client, [[0] * 63 + [1]]) == post(client, [[0.0] * 63 + [1.0]])


def test_a_pixel_that_no_scanner_gives_is_a_number_and_is_answered(client):
    (prediction,) = post(client, [[7.0, *ROW[1:]]])["predictions"]
    x = np.array([[7.0, *ROW[1:]]], np.float32)
    assert NAMES.index(prediction["answer"]) == STUDENT.predict(x)[0]


@pytest.mark.parametrize(
    ("inputs", "where", "message"),
    [
        ([ROW[:-1]], "inputs[0]", "at least 64 items"),
        ([ROW, [*ROW, 0.5]], "inputs[1]", "at most 64 items"),
        ([], "inputs", "at least 1 item"),
        ([[]], "inputs[0]", "at least 64 items"),
        ([ROW] * 257, "inputs", "at most 256 items"),
        ([[float("nan"), *ROW[1:]]], "inputs[0][0]", "finite number"),
        ([[float("-inf"), *ROW[1:]]], "inputs[0][0]", "finite number"),
        ([[*ROW[:-1], "0.5"]], "inputs[0][63]", "valid number"),
        ([[*ROW[:-1], None]], "inputs[0][63]", "valid number"),
        ([[*ROW[:-1], True]], "inputs[0][63]", "valid number"),
        ([[1e300, *ROW[1:]]], "inputs", "finite"),
        (ROW, "inputs[0]", "valid list"),
        ("a digit", "inputs", "valid list"),
        (None, "inputs", "valid list"),
    ],
    ids=[
        "short", "long", "empty", "empty row", "too many", "nan", "infinity", "text", "nothing",
        "truth", "too large for float32", "one row alone", "a text", "null",
    ],
)  # fmt: skip
def test_a_bad_request_is_told_where_and_what_is_wrong(client, inputs, where, message):
    before = post(client, [ROW])
    assert message in faults(post(client, inputs, 422))[where]
    assert post(client, [ROW]) == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "Field required"),
        ("{", "JSON decode error"),
        ("[]", "valid dictionary"),
        ("{}", "Field required"),
        ('{"input": [[1]]}', "Field required"),
        (json.dumps({"inputs": [ROW], "T": 4}), "not permitted"),
        (b"\xff\xfe", None),
    ],
    ids=["nothing", "half", "a list", "no inputs", "misspelt", "a temperature", "no text"],
)
def test_a_body_that_is_no_request_is_refused(client, body, message):
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code in ((422,) if message else (400, 422))
    assert message is None or message in str(answer.json())


def test_a_request_says_that_it_is_json(client):
    body = json.dumps({"inputs": [ROW]})
    answer = client.post("/predict", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert faults(answer.json()) == {"Content-Type": "must be application/json, got 'text/plain'"}


def test_of_many_faults_the_first_are_named_and_the_others_counted(client):
    answer = post(client, [["x"] * 64] * 10, 422)
    assert len(answer["detail"]) == 6 and len(json.dumps(answer)) < 1000
    assert answer["detail"][-1]["message"] == "and 635 more"


def test_what_is_not_there_is_not_found(client):
    assert client.get("/predict").status_code == 405
    assert client.get("/").status_code == 404


class Alone:
    """A model with one set of work arrays, as a network: it notices who comes in between."""

    n_inputs, inside, mixed = 64, 0, 0

    def logits(self, inputs):
        self.inside += 1
        time.sleep(0.002)  # others get their turn
        self.mixed += self.inside > 1
        self.inside -= 1
        return STUDENT.logits(inputs)


def test_requests_at_the_same_time_do_not_mix():
    model = Alone()
    client = TestClient(serve.create_app(model, NAMES))
    inputs = DIGITS.test.inputs[:200]

    def ask(k):
        return post(client, inputs[k : k + 5].tolist())["predictions"]

    with ThreadPoolExecutor(8) as threads:
        answers = [p["answer"] for part in threads.map(ask, range(0, 200, 5)) for p in part]
    assert answers == [NAMES[k] for k in STUDENT.predict(inputs)] and not model.mixed


def test_health_says_what_is_served_and_what_the_watches_have_seen():
    bright = Watch("bright", lambda x, z: x.mean(axis=1) > 0.9, usual=0.01)
    client = TestClient(serve.create_app(STUDENT, NAMES, watches=[bright]))
    about = client.get("/health").json()
    assert about["status"] == "ok" and about["inputs"] == 64 and about["classes"] == NAMES
    post(client, DIGITS.test.inputs[:200].tolist())
    post(client, [ROW[:-1]], 422)  # no example
    (report,) = client.get("/health").json()["watches"]
    assert (report["name"], report["asked_about"], report["odd"]) == ("bright", 200, 0)
    assert report["fired_at"] is None
    post(client, [[1.0] * 64] * 30)
    about = client.get("/health").json()
    assert about["status"] == "alarm" and 200 < about["watches"][0]["fired_at"] < 230


@pytest.mark.parametrize("names", [NAMES[:9], [*NAMES, "ten"], ["one"] * 10], ids=len)
def test_classes_are_as_many_names_as_logits(names):
    with pytest.raises(ValueError, match="classes must be 10 different names, got"):
        serve.create_app(STUDENT, names)


def test_both_kinds_of_files_are_served_alike(tmp_path):
    pytest.importorskip("onnxruntime", reason=f"needs ONNX Runtime: {WHERE}")
    from bridges.onnx_export import export

    STUDENT.save(tmp_path / "student.npz")
    export(STUDENT, tmp_path / "student.onnx", classes=NAMES)
    model, names = serve.load(tmp_path / "student.npz")
    assert isinstance(model, Network) and names == [*"0123456789"]
    deployed, names = serve.load(tmp_path / "student.onnx")
    assert names == NAMES
    inputs = DIGITS.test.inputs[:20].tolist()
    ours, theirs = (
        post(TestClient(serve.create_app(m, NAMES)), inputs)["predictions"]
        for m in (model, deployed)
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one["answer"] == other["answer"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
    post(TestClient(serve.create_app(deployed, NAMES)), [[1e300, *ROW[1:]]], 422)
    with pytest.raises(ValueError, match=r'ends in ".npz" or ".onnx", got student\.pt'):
        serve.load("student.pt")


def test_the_command_serves_a_file_on_a_real_port(tmp_path, root):
    """As a reader runs it, and over a socket."""
    STUDENT.save(tmp_path / "student.npz")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "bridges/serve.py", str(tmp_path / "student.npz"), str(port)]
    server = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        while not (lines and "Uvicorn running" in lines[-1]):
            lines.append(server.stderr.readline())
            assert lines[-1], "".join(lines)  # it has ended
        body = json.dumps({"inputs": [ROW]}).encode()
        address = f"http://127.0.0.1:{port}/predict"
        with urllib.request.urlopen(urllib.request.Request(address, body, JSON)) as answer:
            (prediction,) = json.load(answer)["predictions"]
        assert prediction["answer"] == str(STUDENT.predict(DIGITS.test.inputs[:1])[0])
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, b'{"inputs": [[1]]}', JSON))
        assert refused.value.code == 422
    finally:
        server.terminate()
        server.communicate()
