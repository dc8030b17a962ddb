"""Firefox without a window, by the protocol that it speaks itself (WebDriver BiDi).

Playwright drives only a Firefox of its own make; this is the one that readers have.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import websocket

NAMES = ("firefox-esr", "firefox")
MISSING = (
    "needs Firefox: install it with your package manager (apt-get install firefox-esr), "
    "or name one in the variable FIREFOX"
)
PATIENCE = 300  # seconds for one answer, on a busy machine
KEYS = {
    "Space": " ", "Tab": "\ue004", "End": "\ue010", "Home": "\ue011", "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
}  # fmt: skip
# It asks no host for anything but this machine's own pages.
SETTINGS = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
}


def find() -> str | None:
    """Return the path of a Firefox: the variable FIREFOX, or the system's."""
    if named := os.environ.get("FIREFOX"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Firefox:
    """A running Firefox with one page; `troubles` are the errors that the page has reported."""

    socket: websocket.WebSocket
    page: str = ""
    troubles: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol, and wait for its answer.

        Raises:
            RuntimeError: Firefox refuses it; the message is its own.
        """
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.troubles.append(answer["params"]["text"])
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        if not self.page:
            self.call("session.subscribe", events=["log.entryAdded"])
            self.page = self.call("browsingContext.create", type="tab")["context"]
        self.call("browsingContext.navigate", context=self.page, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, by way of JSON; a promise is waited for."""
        answer = self.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self.page},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def press(self, key: str) -> None:
        """Press a key, and let it go."""
        steps = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": steps}]
        self.call("input.performActions", context=self.page, actions=actions)


@contextmanager
def running() -> Iterator[Firefox]:
    """Start Firefox with a profile of its own; stop it at the end."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in SETTINGS.items())
        Path(profile, "user.js").write_text("\n".join(lines), "utf-8")
        command = [find() or MISSING, "--headless", "--no-remote", "--profile", profile]
        log = Path(profile, "log")
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "--remote-debugging-port=0", "about:blank"],
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
            )
        try:
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"BiDi listening on (ws://\S+)", line):
                    break
            else:
                raise RuntimeError(f"Firefox did not start:\n{''.join(said)[-2000:]}")
            socket = websocket.create_connection(
                f"{found[1]}/session", suppress_origin=True, timeout=PATIENCE
            )
            firefox = Firefox(socket)
            firefox.call("session.new", capabilities={})
            yield firefox
            firefox.call("browser.close")
        finally:
            process.terminate()
            process.wait(PATIENCE)
