"""Export the chapter's student, serve it, ask well and badly, and record the answers.

    .venv-torch/bin/python bridges/record_served.py

Readers without ONNX Runtime and FastAPI see results/served.json instead. It takes some seconds.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from fastapi.testclient import TestClient

from bridges.onnx_export import Deployed, export
from bridges.serve import MOST, create_app
from bridges.watch import Watch, far
from distill_lib import (
    MLP,
    Adam,
    Dataset,
    TeacherOutputs,
    cosine_decay,
    digits,
    hard_labels,
    record,
    softmax,
    traditional,
    train,
)

SEED, ROW = 0, 124  # the test digit that is asked about: a 9, of which the student is unsure
NAMES = list("0123456789")
JSON = {"Content-Type": "application/json"}


def student() -> tuple[Dataset, MLP]:
    """The digits, and the student of the chapter, trained as there."""
    data, plan = digits(np.float64), {"steps": 600, "schedule": cosine_decay}
    sizes = (64, 256, 256, 10), (64, 16, 10)
    teacher, model = (MLP(each, seed=SEED, dtype=np.float64) for each in sizes)
    lesson = hard_labels(data.train)
    train(teacher, data.train, lesson, batch_size=64, optimizer=Adam(0.003), **plan)
    outputs = TeacherOutputs.of(teacher, data.transfer)
    objective = traditional(data.transfer, outputs, T=4, alpha=0.1)
    train(model, data.transfer, objective, batch_size=32, optimizer=Adam(0.03), **plan)
    return data, model


def bodies(row: list[float]) -> dict[str, dict[str, Any]]:
    """Requests by what they are: the first is as it should be."""
    return {
        "one digit": {"inputs": [row]},
        "a pixel is missing": {"inputs": [row[:-1]]},
        "a pixel is text": {"inputs": [["0.5", *row[1:]]]},
        "a pixel is NaN": {"inputs": [[float("nan"), *row[1:]]]},
        "no digit at all": {"inputs": []},
        f"{MOST + 1} digits": {"inputs": [row] * (MOST + 1)},
        "it asks for T = 4": {"inputs": [row], "T": 4},
    }


def run() -> dict[str, Any]:
    """What is recorded: the exported file beside the student, and the service's answers."""
    data, model = student()
    assert data.test is not None
    inputs = data.test.inputs
    with tempfile.TemporaryDirectory() as folder:
        files = {kind: Path(folder, f"student.{kind}") for kind in ("npz", "onnx")}
        model.save(files["npz"])
        export(model, files["onnx"], classes=NAMES)
        deployed = Deployed(files["onnx"])
        sizes = {f"{kind}_bytes": path.stat().st_size for kind, path in files.items()}
        p, ours = deployed.scores(inputs)["probabilities"], softmax(model.logits(inputs))
    content: dict[str, Any] = {"onnxruntime": onnxruntime.__version__, "row": ROW} | sizes
    content |= {"largest_difference": float(np.abs(p - ours).max()), "n_test": len(inputs)}
    content["same_answers"] = int(np.sum(p.argmax(axis=1) == ours.argmax(axis=1)))

    reference = data.validation.inputs
    odd = far(data.train.inputs, reference)
    watch = Watch.of("far", odd, reference, deployed.logits(reference))
    client = TestClient(create_app(deployed, NAMES, watches=[watch]))
    content["requests"] = []
    for what, body in bodies(inputs[ROW].tolist()).items():
        answer = client.post("/predict", content=json.dumps(body), headers=JSON)
        content["requests"].append(
            {"what": what, "status": answer.status_code, "answer": answer.json()}
        )
    content["health"] = [client.get("/health").json()]
    turned = np.rot90(inputs[:40].reshape(-1, 8, 8), axes=(1, 2)).reshape(40, 64)
    client.post("/predict", json={"inputs": turned.tolist()})
    content["health"].append(client.get("/health").json())
    return content


def main() -> None:
    """Write results/served.json."""
    content = run()
    print({name: content[name] for name in ("largest_difference", "same_answers")})
    record("served", content, [SEED], "python bridges/record_served.py")


if __name__ == "__main__":
    main()
