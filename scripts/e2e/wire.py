"""The smallest MCP client there is: lines to a server's stdin, lines from its stdout. For tests that look at the process.

What third-party clients see is tested with third-party clients; this one exists to hold a server still, to look at it from
outside, and to say things that no client would.
"""

import json
import queue
import subprocess
import threading

from stage import BIN, StageError

ANSWERS_WITHIN_S = 30
ENDS_WITHIN_S = 10

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "e2e-wire", "version": "1"}}


class Server:
    """A `mcp-stdio` process of our own. Ends with the `with` block; `stderr` and `frames` hold all that it said."""

    def __init__(self, environment: dict[str, str], arguments: list[str] | None = None):
        self.process = subprocess.Popen(
            [BIN / "mcp-stdio", *(arguments or [])],
            env=environment,
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.frames: list[str] = []
        self.errors: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._id = 0
        self._readers = [threading.Thread(target=work, daemon=True) for work in (self._read_stdout, self._read_stderr)]
        for reader in self._readers:
            reader.start()
        self.request("initialize", HELLO)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stderr(self) -> str:
        return "".join(self.errors)

    def send(self, message: dict) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def request(self, method: str, params: dict) -> dict:
        """The whole frame that answers."""
        self._id += 1
        self.send({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        return self.answer()

    def answer(self) -> dict:
        """The frame that answers the newest request."""
        while True:
            try:
                line = self._lines.get(timeout=ANSWERS_WITHIN_S)
            except queue.Empty as silence:
                raise StageError(
                    f"no answer within {ANSWERS_WITHIN_S} s; stderr: {self.stderr[-800:]}"
                ) from silence
            if line is None:
                raise StageError(f"the server ended before it answered: {self.stderr[-800:]}")
            frame = json.loads(line)
            if frame.get("id") == self._id:
                return frame

    def call(self, tool: str, **arguments) -> tuple[bool, str]:
        """Whether the call went well, and the text of its answer."""
        frame = self.request("tools/call", {"name": tool, "arguments": arguments})
        if "error" in frame:
            return False, json.dumps(frame["error"])
        result = frame["result"]
        return not result.get("isError", False), result["content"][0]["text"]

    def begin(self, tool: str, arguments: dict) -> None:
        """Sends a call and waits for nothing."""
        self._id += 1
        params = {"name": tool, "arguments": arguments}
        self.send({"jsonrpc": "2.0", "id": self._id, "method": "tools/call", "params": params})

    def result(self, tool: str, arguments: dict) -> dict:
        """The whole result of a call; one that is a protocol error is a `StageError`."""
        frame = self.request("tools/call", {"name": tool, "arguments": arguments})
        if "error" in frame:
            raise StageError(f"{tool}: {frame['error']}")
        return frame["result"]

    def close(self) -> int:
        """Leaves as a client does; the exit code."""
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            code = self.process.wait(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for reader in self._readers:
            reader.join(timeout=ENDS_WITHIN_S)
        return code

    def _read_stdout(self) -> None:
        for line in self.process.stdout:
            self.frames.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.errors.append(line)
