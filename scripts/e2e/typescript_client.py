"""The TypeScript client (`@modelcontextprotocol/client` on npm): its half runs in Node, see `typescript_client.mjs`."""

import json
import shutil
import subprocess
from pathlib import Path

from session import Answer, Played, calls
from stage import TOOLS, Stage, StageError

# A whole session; Node alone needs a quarter of a second.
WITHIN_S = 60


def play(stage: Stage, era: str) -> Played:
    # Node resolves packages beside the script, and the packages live under target/.
    script = shutil.copy(Path(__file__).with_suffix(".mjs"), TOOLS / "node")
    what = {"command": stage.server(), "env": stage.server_settings(), "mode": era, "calls": calls(stage)}
    ran = subprocess.run(
        ["node", script, json.dumps(what)], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    if ran.returncode != 0:
        raise StageError(f"the TypeScript client ended with {ran.returncode}: {ran.stderr[-800:]}")
    if "unknown format" in ran.stderr:
        raise StageError(f"the TypeScript client complains about a schema: {ran.stderr[-800:]}")
    seen = json.loads(ran.stdout)
    answers = {step: Answer(**answer) for step, answer in seen["answers"].items()}
    return Played(seen["revision"], seen["tools"], answers)
