"""A small web service that asks a student: POST /predict, GET /health.

    python bridges/serve.py student.npz            # or student.onnx
    curl localhost:8000/predict -H 'Content-Type: application/json' -d '{"inputs": [[0, 0.3, ...]]}'

What is wrong with a request is said in its answer (status 422), and never changes the next one's.
It needs FastAPI, and uvicorn to run by this command. Where it is open to the world, something in
front of it has to encrypt, to know its users, and to limit the length and the number of requests.
"""

# No `from __future__ import annotations`: FastAPI reads annotations, of classes made in a function.
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Protocol

import numpy as np
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from bridges.watch import Watch
from distill_lib.checks import Array, check_whole
from distill_lib.losses import softmax
from distill_lib.models import Network
from distill_lib.results import library_digest

MOST = 256
"""So many examples may come in one request."""
NAMED = 5
"""So many faults of a request are named in the answer."""


class Answers(Protocol):
    """What is asked: a `Network`, or an exported one (`onnx_export.Deployed`)."""

    @property
    def n_inputs(self) -> int: ...

    def logits(self, inputs: Array) -> Array: ...


class Prediction(BaseModel):
    """Of one example: the class, and the probabilities at T = 1 by class."""

    answer: str
    probabilities: dict[str, float]


class Predictions(BaseModel):
    """One for each example of the request, in its order."""

    predictions: list[Prediction]


def create_app(
    model: Answers,
    classes: Sequence[str],
    *,
    watches: Sequence[Watch] = (),
    most: int = MOST,
) -> FastAPI:
    """The service of this model.

    Args:
        classes: what the classes are called, in the order of the logits; no name twice.
        watches: they see each example; /health says what they have seen.
        most: examples in a request.

    ValueError for not as many names as the model has logits.
    """
    check_whole("most", most)
    classes = [str(name) for name in classes]
    n_logits = model.logits(np.zeros((1, model.n_inputs))).shape[1]
    if len(set(classes)) != len(classes) or len(classes) != n_logits:
        raise ValueError(f"classes must be {n_logits} different names, got {classes}")
    # Strict: no text or truth value counts as a number.
    number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
    row = Annotated[list[number], Field(min_length=model.n_inputs, max_length=model.n_inputs)]

    class Examples(BaseModel):
        model_config = ConfigDict(extra="forbid")
        inputs: list[row] = Field(min_length=1, max_length=most)

    # Requests are answered by several threads, and a network has one set of work arrays.
    app, one_at_a_time = FastAPI(title="student"), Lock()

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        """Where and what is wrong; FastAPI's own answer repeats the input, and fails at a nan."""
        if "json" not in (kind := request.headers.get("content-type", "")):
            message = f"must be application/json, got {kind!r}"
            return JSONResponse({"detail": [{"where": "Content-Type", "message": message}]}, 422)
        faults = error.errors()
        detail = [{"where": _place(f["loc"]), "message": f["msg"]} for f in faults[:NAMED]]
        if len(faults) > NAMED:
            detail.append({"where": "", "message": f"and {len(faults) - NAMED} more"})
        return JSONResponse({"detail": detail}, 422)

    @app.post("/predict")
    def predict(examples: Examples) -> Predictions:
        inputs = np.array(examples.inputs)
        with one_at_a_time:
            try:
                logits = model.logits(inputs)
            except ValueError as error:  # such as numbers too large for float32
                fault = {"where": "inputs", "message": str(error)}
                raise HTTPException(422, [fault]) from error
            for watch in watches:
                watch.see(inputs, logits)
        rows = softmax(np.asarray(logits, np.float64)).tolist()
        by_class = [dict(zip(classes, row, strict=True)) for row in rows]
        made = [Prediction(answer=max(p, key=p.__getitem__), probabilities=p) for p in by_class]
        return Predictions(predictions=made)

    @app.get("/health")
    def health() -> dict[str, Any]:
        with one_at_a_time:
            reports = [watch.report() for watch in watches]
        fired = any(report["fired_at"] for report in reports)
        about = {"inputs": model.n_inputs, "classes": classes, "most": most}
        about |= {"library": library_digest()}
        return {"status": "alarm" if fired else "ok", **about, "watches": reports}

    return app


def _place(location: Sequence[str | int]) -> str:
    """("body", "inputs", 0, 3) as "inputs[0][3]"."""
    if len(location) < 2 or isinstance(location[1], int):  # no JSON, or no object of it
        return "body"
    return str(location[1]) + "".join(f"[{part}]" for part in location[2:])


def load(path: str | Path) -> tuple[Answers, list[str]]:
    """A saved or an exported student, and its classes: "0", "1", … where the file names none.

    ValueError for a file that is neither.
    """
    if Path(path).suffix == ".npz":
        model = Network.load(path)
        return model, [str(k) for k in range(model.units["logits"])]
    if Path(path).suffix == ".onnx":
        from bridges.onnx_export import Deployed

        deployed = Deployed(path)
        n = deployed.logits(np.zeros((1, deployed.n_inputs))).shape[1]
        return deployed, deployed.classes or [str(k) for k in range(n)]
    raise ValueError(f'a student is a file that ends in ".npz" or ".onnx", got {path}')


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(create_app(*load(sys.argv[1])), port=int((sys.argv[2:] or ["8000"])[0]))
