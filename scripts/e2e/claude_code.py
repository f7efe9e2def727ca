"""The real Claude Code (`@anthropic-ai/claude-code` on npm), as the host that starts our server.

`mcp get` and `mcp list` start the server and shake hands with it; neither needs an account or the network.
"""

from pathlib import Path

from shell import Ran, Shell
from stage import TOOLS, StageError

# It must not look for updates, report, or fetch anything: this is a test, and it may run where nothing can be reached.
QUIET = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
}


def program() -> Path:
    """The native binary: a package of its own per platform, of which npm installs the one that fits."""
    found = sorted((TOOLS / "node" / "node_modules" / "@anthropic-ai").glob("claude-code-*/claude"))
    if not found:
        raise StageError("Claude Code is not installed; hint: scripts/e2e/run installs it")
    return found[0]


def run(shell: Shell, *arguments: str) -> Ran:
    return shell.program(program(), *arguments, also=QUIET, within_s=60)


def settings_file(shell: Shell) -> Path:
    return shell.home / ".claude.json"
