"""MCP Inspector's command line, one process per request: initialize, `tools/list --strict`, and a few calls."""

import json
import os
import subprocess

from session import Answer, Played, calls
from stage import TOOLS, Stage, StageError

WITHIN_S = 60

# The Inspector starts a Node and a server for each request; these steps say enough.
# A shop that is chosen is chosen for one session, which here is one call.
STEPS = {"order", "page", "found", "dry run", "no such order", "misspelt argument"}
STEPS |= {"other shop, by name", "misspelt shop", "third shop", "a key is passed"}

# The Inspector's exit code for a tool that answered with an error.
TOOL_ERROR = 5


def play(stage: Stage, era: str) -> Played:
    initialized = _ask(stage, era, "initialize")
    listed = _ask(stage, era, "tools/list", "--strict")
    played = Played(initialized["protocolVersion"], [tool["name"] for tool in listed["tools"]])
    for step, tool, arguments in calls(stage):
        if step in STEPS:
            called = ["--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
            played.answers[step] = _answer(_ask(stage, era, "tools/call", *called))
    return played


def _ask(stage: Stage, era: str, method: str, *more: str) -> dict:
    inspector = TOOLS / "node" / "node_modules" / ".bin" / "mcp-inspector"
    settings = [part for name, value in stage.server_settings().items() for part in ("-e", f"{name}={value}")]
    command = [inspector, "--cli", "-q", "--protocol-era", era, *settings, stage.server()]
    command += ["--method", method, "--format", "json", *more]
    home = {"HOME": str(stage.folder)}  # the Inspector keeps a catalogue in its user's home
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=WITHIN_S, env={**os.environ, **home}, stdin=subprocess.DEVNULL
    )
    if ran.returncode not in (0, TOOL_ERROR):
        raise StageError(f"the Inspector ended {method} with {ran.returncode}: {ran.stderr[-800:]}{ran.stdout[-200:]}")
    try:
        return json.loads(ran.stdout)["result"]
    except (ValueError, KeyError) as wrong:
        raise StageError(f"the Inspector printed no result for {method}: {ran.stdout[-400:]}{ran.stderr[-400:]}") from wrong


def _answer(result: dict) -> Answer:
    text = "\n".join(block["text"] for block in result["content"] if block["type"] == "text")
    return Answer(result.get("isError", False), result.get("structuredContent"), text)
