"""The stage: two sandbox shops and a sidecar on free loopback ports, with a home of their own, and how a client reaches them.

Used by the end-to-end suite and by the demo. Standard library only. Leaving the `with` block ends every process that
the stage has started and removes the home, whatever happened inside.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BIN = Path(os.environ.get("ORDERDESK_E2E_BIN", TARGET / "release"))
TOOLS = TARGET / "e2e"

# How long a program of ours may take until it answers; generous, since the machine may be building beside us.
STARTS_WITHIN_S = 20
# How long a program may take to end after SIGTERM before it is killed.
ENDS_WITHIN_S = 5


class StageError(Exception):
    """Something on stage did not come up; the text says what and where to look."""


class Skipped(Exception):
    """This machine cannot have what the test needs; the text says what."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what: str, condition, within_s: float = STARTS_WITHIN_S, every_s: float = 0.05):
    """The first true value of `condition()`, or StageError after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise StageError(f"{what}: not within {within_s} s")
        time.sleep(every_s)


def get(url: str, token: str | None = None, timeout_s: float = 5) -> tuple[int, str]:
    """Status and body; (0, reason) when nobody answers."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except (urllib.error.URLError, OSError) as nobody:
        return 0, str(nobody)


# The settings under which calls in a row do not wait: neither for a shop's quota nor for a tenant's rate limit.
OPEN_WIDE = {
    "ORDERDESK_MCP_STORE_BURST": "1000",
    "ORDERDESK_MCP_STORE_RATE_PER_SECOND": "1000",
    "ORDERDESK_MCP_RATE_LIMIT_RPM": "100000",
}


class Stage:
    """`with Stage() as stage:` two shops, a sidecar and a home.

    The servers find the first shop in their environment. With `vault=True` they find both in the home, sealed: put there
    by the commands a person would type. With `sealed_by_hand=True` whoever opens the stage types them.
    """

    def __init__(
        self,
        settings: dict[str, str] | None = None,
        sandbox: list[str] | None = None,
        vault: bool = False,
        sealed_by_hand: bool = False,
        sidecar: bool = True,
    ):
        self.sandbox_arguments = sandbox or []
        self.settings = settings or {}
        self.vault = vault
        self.sidecar = sidecar
        self.shop_in_environment = not vault and not sealed_by_hand
        self.admin_token = secrets.token_hex(16)
        self.processes: list[subprocess.Popen] = []
        self.folder = Path(tempfile.mkdtemp(prefix="orderdesk-stage-"))
        self.home = self.folder / "home"

    def __enter__(self) -> "Stage":
        try:
            self._start_sandbox()
            if self.sidecar:
                self._start_sidecar()
            if self.vault:
                self._seal_the_shops()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def spawn(self, name: str, command: list, **more) -> subprocess.Popen:
        """Starts a program that ends with the stage; what it says goes into NAME.log."""
        log = open(self.folder / f"{name}.log", "wb")
        more.setdefault("stdout", log)
        try:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=log, **more)
        except FileNotFoundError as missing:
            raise StageError(f"`{missing.filename}` is missing; hint: cargo build --release") from missing
        finally:
            log.close()
        self.processes.append(process)
        return process

    def said(self, name: str, lines: int = 20) -> str:
        """The last lines of what a program said, for an error message."""
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _start_sandbox(self) -> None:
        process = self.spawn(
            "sandbox",
            [BIN / "orderdesk-sandbox", "--port", "0", "--stores", "2", *self.sandbox_arguments],
            stdout=subprocess.PIPE,
        )
        line = process.stdout.readline()
        if not line:
            raise StageError(f"the sandbox did not start:\n{self.said('sandbox')}")
        shop = json.loads(line)
        self.base_url = shop["base_url"]
        self.stores = shop["stores"]
        self.store = self.stores[0]

    def _start_sidecar(self) -> None:
        address = f"127.0.0.1:{free_port()}"
        self.sidecar_url = f"http://{address}"
        settings = {
            **self.settings,
            "ORDERDESK_MCP_HOME": str(self.home),
            "ORDERDESK_MCP_LISTEN": address,
            "ORDERDESK_MCP_ADMIN_TOKEN": self.admin_token,
        }
        process = self.spawn("sidecar", [BIN / "ops-sidecar", "serve"], env={**clean_environment(), **settings})

        def serving() -> bool:
            if process.poll() is not None:
                raise StageError(f"the sidecar ended with {process.returncode}:\n{self.said('sidecar')}")
            return get(f"{self.sidecar_url}/health/live")[0] == 200

        wait_for("the sidecar answers", serving)

    def _seal_the_shops(self) -> None:
        settings = {"ORDERDESK_MCP_HOME": str(self.home), "ORDERDESK_MCP_API_BASE_URL": self.base_url}
        self.run("init", also=settings)
        for store in self.stores:
            key = f"{store['api_key']}\n"
            self.run("store", "add", "--name", store["name"], "--id", store["store_id"], also=settings, stdin=key)
        self.run("store", "use", self.store["name"], also=settings)

    def run(self, *arguments: str, stdin: str = "", also: dict[str, str] | None = None) -> str:
        """Runs one of the product's commands to its end; what it printed."""
        command = [self.server(), *arguments]
        ran = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN_S,
            env={**clean_environment(), **(also or {})},
        )
        if ran.returncode != 0:
            raise StageError(f"`mcp-stdio {' '.join(arguments)}` ended with {ran.returncode}: {ran.stderr[-800:]}")
        return ran.stdout

    def server(self) -> str:
        """The command that a client spawns."""
        return str(BIN / "mcp-stdio")

    def server_settings(self) -> dict[str, str]:
        """The environment that a client hands to the server."""
        settings = {**self.settings, "ORDERDESK_MCP_HOME": str(self.home)}
        if not self.shop_in_environment:
            return settings
        return {
            **settings,
            "ORDERDESK_MCP_API_BASE_URL": self.base_url,
            "ORDERDESK_MCP_STORE_ID": str(self.store["store_id"]),
            "ORDERDESK_MCP_API_KEY": self.store["api_key"],
        }

    def close(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + ENDS_WITHIN_S
        for process in self.processes:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def clean_environment() -> dict[str, str]:
    """Our own environment without settings of the product: a developer's shell must not change a test."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ORDERDESK_MCP_")}
