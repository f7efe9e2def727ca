"""What `doctor` finds with the real programs around it, and its remedies typed as they stand.

The Rust tests break every kind of set-up; here are the two that need other programs: a sidecar that is not running, and
Claude Code whose entry points to a binary that was moved.
"""

import json
import os
import re
import shutil
import signal
import subprocess

import claude_code
from session import Check
from shell import Shell
from stage import BIN, Stage, free_port, wait_for


def check(stage: Stage) -> list[Check]:
    return [*_missing_sidecar(stage), *_moved_binary(stage)]


def _missing_sidecar(stage: Stage) -> list[Check]:
    shell = Shell(stage.folder / "doctored", {"ORDERDESK_MCP_LISTEN": f"127.0.0.1:{free_port()}"})
    shell.run("init").well()
    missing = _finding(shell, "sidecar")
    remedy = _command(missing)
    if missing["ok"] or not remedy:
        return [Check("a missing sidecar is named, with a command", False, f"{missing}")]
    typed = subprocess.Popen(
        ["sh", "-c", f"exec {remedy}"],
        env=shell.environment,
        cwd=shell.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found = wait_for("doctor finds the sidecar", lambda: _finding(shell, "sidecar")["ok"])
    finally:
        typed.send_signal(signal.SIGTERM)
        typed.wait(timeout=10)
    gone = _finding(shell, "sidecar")
    return [
        Check("a missing sidecar is named, with a command", True),
        Check("typed, the command starts it, and doctor finds it", found, remedy),
        Check("ended, it is missing again", not gone["ok"], f"{gone}"),
    ]


def _moved_binary(stage: Stage) -> list[Check]:
    shell = Shell(stage.folder / "moved-user")
    old = shell.home / "downloads" / "mcp-stdio"
    old.parent.mkdir()
    shutil.copy(BIN / "mcp-stdio", old)
    shell.program(old, "init").well()
    shell.program(old, "install", "--client", "claude-code").well()
    before = claude_code.run(shell, "mcp", "get", "orderdesk")
    new = shell.home / "programs" / "mcp-stdio"
    new.parent.mkdir()
    os.rename(old, new)
    broken = claude_code.run(shell, "mcp", "get", "orderdesk")
    named = _finding(shell, "clients", program=new)
    remedy = _command(named)
    typed = shell.program("sh", "-c", remedy) if remedy else None
    after = claude_code.run(shell, "mcp", "get", "orderdesk")
    return [
        Check("Claude Code starts the downloaded binary", "Connected" in before.stdout, before.said),
        Check("moved, it is not started any more", "Connected" not in broken.stdout, broken.said),
        Check("doctor names the client, with a command", not named["ok"] and bool(remedy), f"{named}"),
        Check(
            "typed, the command mends it",
            typed is not None and typed.code == 0 and "Connected" in after.stdout,
            f"{typed} {after.said}",
        ),
    ]


def _finding(shell: Shell, id: str, program=BIN / "mcp-stdio") -> dict:
    """The worst of what doctor says under this name."""
    # Exit code 1 says that a check failed, which is what is looked for.
    ran = shell.program(program, "doctor", "--json")
    report = json.loads(ran.stdout)
    found = [finding for finding in report["checks"] if finding["id"].split(".")[0] == id]
    return min(
        found,
        key=lambda finding: finding["ok"],
        default={"ok": False, "hint": None, "why": f"no check `{id}`: {ran.said[-600:]}"},
    )


def _command(finding: dict) -> str | None:
    """The command in a hint: what stands between its last backticks."""
    quoted = re.findall(r"`([^`]+)`", finding["hint"] or "")
    return quoted[-1] if quoted else None
