"""The OS keyring: a real Secret Service (gnome-keyring) on a message bus of its own, and the ways in which one can be missing.

The key lives in the keyring only where `KEY_SOURCE=keyring` says so, and is asked for when a seal is first opened. A machine
without a bus, or with one that never answers, gets an error in bounded time.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import wire
from session import ORDER_ID, Check
from shell import Shell
from stage import Skipped, Stage, StageError, wait_for

PROGRAMS = ["dbus-daemon", "gnome-keyring-daemon"]

# How long a command may take to say that there is no keyring: without a bus, and with one that is silent.
NO_BUS_WITHIN_S = 2
SILENT_BUS_WITHIN_S = 15

# Windows that are opened together ask one after the other.
CROWD = 20

FROM_KEYRING = {"ORDERDESK_MCP_KEY_SOURCE": "keyring"}


def check(stage: Stage) -> list[Check]:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        raise Skipped(f"no {' and no '.join(missing)} on this machine")
    with keyring(stage.folder / "keyring") as address:
        checks = _lived_with(stage, {**FROM_KEYRING, "DBUS_SESSION_BUS_ADDRESS": address})
    return [*checks, *_without_a_bus(stage), *_with_a_silent_bus(stage)]


@contextmanager
def keyring(folder: Path):
    """A bus and an unlocked keyring on it; gives the bus's address."""
    runtime = folder / "runtime"
    runtime.mkdir(parents=True, mode=0o700)
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(runtime)}
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    service = None
    try:
        address = bus.stdout.readline().strip()
        if not address:
            raise Skipped("the message bus does not start here")
        environment["DBUS_SESSION_BUS_ADDRESS"] = address
        service = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        service.stdin.write(b"only-for-this-test")
        service.stdin.close()
        try:
            wait_for("the keyring answers", lambda: _owned(environment), 20)
        except StageError as slow:
            raise Skipped(f"{slow}") from slow
        yield address
    finally:
        for process in (service, bus):
            if process is not None:
                process.terminate()
                process.wait()


def _owned(environment: dict[str, str]) -> bool:
    """Whether somebody on the bus answers as the Secret Service."""
    ask = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]
    ask += ["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]
    return "boolean true" in subprocess.run(ask, env=environment, capture_output=True, text=True).stdout


def _lived_with(stage: Stage, settings: dict[str, str]) -> list[Check]:
    """A home whose key is in the keyring: made, used, rotated, and used on by a server that was there before."""
    shell = Shell(stage.folder / "keyring-user", {**settings, **stage.settings, "ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    init = shell.run("init", "--keyring")
    key_file = shell.data / "master.key"
    store = stage.store
    added = shell.run("store", "add", "--name", store["name"], "--id", store["store_id"], stdin=store["api_key"])
    checks = [
        Check("init --keyring makes no key file", init.code == 0 and not key_file.exists(), init.said),
        Check("store add, sealed with the keyring's key", added.code == 0, added.said),
    ]
    with wire.Server(shell.environment) as server:
        before = server.call("orders_get", order_id=ORDER_ID)
        rotated = shell.run("key", "rotate", "--yes")
        after = server.call("orders_get", order_id=ORDER_ID, fresh=True)
    began = time.monotonic()
    with ThreadPoolExecutor(CROWD) as crowd:
        opened = [each.code for each in crowd.map(lambda _: shell.run("store", "test", store["name"]), range(CROWD))]
    crowd_s = time.monotonic() - began
    other = shell.run("call", "orders_get", f'{{"order_id": "{ORDER_ID}"}}')
    return [
        *checks,
        Check("a server reads the shop", before[0], before[1]),
        Check("key rotate", rotated.code == 0 and not key_file.exists(), rotated.said),
        Check("the running server goes on", after[0], after[1]),
        Check("a new process finds the new key", other.code == 0, other.said),
        Check(f"{CROWD} processes at once each get it, in {crowd_s:.1f} s", not any(opened), f"exit codes {opened}"),
    ]


def _without_a_bus(stage: Stage) -> list[Check]:
    shell = Shell(
        stage.folder / "headless", {**FROM_KEYRING, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={stage.folder}/no-such-bus"}
    )
    return [_fails_in_time("without a bus", shell, NO_BUS_WITHIN_S)]


def _with_a_silent_bus(stage: Stage) -> list[Check]:
    """A bus that takes connections and never says a word."""
    path = stage.folder / "silent-bus"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(16)
        held: list[socket.socket] = []
        threading.Thread(target=_hold, args=(silent, held), daemon=True).start()
        shell = Shell(stage.folder / "patient", {**FROM_KEYRING, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"})
        checks = _serves_all_the_same(shell, held)
        checks.append(_fails_in_time("with a bus that never answers", shell, SILENT_BUS_WITHIN_S))
    for connection in held:
        connection.close()
    return checks


def _serves_all_the_same(shell: Shell, asked: list[socket.socket]) -> list[Check]:
    """A server asks the keyring when a seal is to be opened and not before: its client must not wait for a dialog."""
    began = time.monotonic()
    with wire.Server(shell.environment) as server:
        tools = server.request("tools/list", {})["result"]["tools"]
        started_s, early = time.monotonic() - began, len(asked)
        well, text = server.call("orders_get", order_id=ORDER_ID)
        called_s = time.monotonic() - began - started_s
        leaving = time.monotonic()
        code = server.close()
        left_s = time.monotonic() - leaving
    clear = not well and "keyring" in text and "hint:" in text
    return [
        Check(
            f"a server lists its tools in {started_s:.1f} s without asking the keyring", bool(tools) and not early, f"{early}"
        ),
        Check(
            f"a call says so in {called_s:.1f} s (at most {SILENT_BUS_WITHIN_S})",
            clear and called_s < SILENT_BUS_WITHIN_S,
            text,
        ),
        Check(
            f"it ends in {left_s:.1f} s although the bus still owes an answer", code == 0 and left_s < 3, f"exit code {code}"
        ),
    ]


def _hold(silent: socket.socket, held: list[socket.socket]) -> None:
    while True:
        try:
            held.append(silent.accept()[0])
        except OSError:  # the test is over
            return


def _fails_in_time(how: str, shell: Shell, within_s: float) -> Check:
    """`init --keyring` says what is wrong and what to do, soon; a hang would be a machine that never finishes its set-up."""
    began = time.monotonic()
    ran = shell.run("init", "--keyring", within_s=within_s + 10)
    took = time.monotonic() - began
    well_said = ran.code != 0 and "keyring" in ran.stderr and "hint:" in ran.stderr and "panicked" not in ran.stderr
    return Check(f"{how}: a clear error in {took:.1f} s (at most {within_s})", well_said and took < within_s, ran.said)
