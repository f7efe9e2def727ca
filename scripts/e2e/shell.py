"""Our commands as a person runs them: in a home folder that has seen nothing yet, from a pipe or on a terminal.

A `Shell` is a user: a HOME of their own, the settings that they have exported, and nothing of the machine's environment.
Standard library only.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from stage import BIN, StageError

# What one command may take; generous, since the machine may be building beside us.
WITHIN_S = 30


@dataclass
class Ran:
    """What a command left behind."""

    command: str
    code: int
    stdout: str
    stderr: str
    seconds: float

    def well(self) -> "Ran":
        """Itself, when the exit code is 0."""
        if self.code != 0:
            raise StageError(f"`{self.command}` ended with {self.code}: {self.stderr[-800:]}{self.stdout[-400:]}")
        return self

    def json(self) -> dict:
        return json.loads(self.well().stdout)

    @property
    def said(self) -> str:
        return self.stdout + self.stderr


class Shell:
    """A user with a clean home. Remembers every command that was run, with its output."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None):
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.settings = settings or {}
        self.ran: list[Ran] = []

    @property
    def environment(self) -> dict[str, str]:
        """What a login leaves in a shell, and what the user has exported; no proxy, no locale, nothing of ours."""
        base = {"HOME": str(self.home), "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"}
        return {**base, **self.settings}

    @property
    def data(self) -> Path:
        """Where our files are: what the settings say, else where the platform keeps a user's data."""
        return Path(self.settings.get("ORDERDESK_MCP_HOME", self.home / ".local/share/orderdesk-mcp"))

    def run(
        self,
        *arguments,
        stdin: str | None = None,
        under: list | None = None,
        also: dict | None = None,
        within_s: float = WITHIN_S,
    ) -> Ran:
        """Runs `mcp-stdio ARGUMENTS…` to its end, by way of `under` (a tracer, say)."""
        return self.program(*(under or []), BIN / "mcp-stdio", *arguments, stdin=stdin, also=also, within_s=within_s)

    def program(self, *command, stdin: str | None = None, also: dict | None = None, within_s: float = WITHIN_S) -> Ran:
        """Runs any program as this user."""
        parts = [str(part) for part in command]
        shown = " ".join(Path(part).name if part.startswith(str(BIN)) else part for part in parts)
        began = time.monotonic()
        # Without input there is none: not a terminal, not the test's own stdin.
        source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        try:
            ended = subprocess.run(
                parts,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=within_s,
                env={**self.environment, **(also or {})},
                cwd=self.home,
                **source,
            )
        except FileNotFoundError as missing:
            raise StageError(f"`{missing.filename}` is missing; hint: cargo build --release") from missing
        except subprocess.TimeoutExpired as slow:
            raise StageError(f"`{shown}` has not ended within {within_s} s; it said {slow.stdout!r} {slow.stderr!r}") from slow
        self.ran.append(Ran(shown, ended.returncode, ended.stdout, ended.stderr, time.monotonic() - began))
        return self.ran[-1]

    def on_a_terminal(
        self, *command, answers: list[tuple[str, str]], also: dict | None = None, within_s: float = WITHIN_S
    ) -> Ran:
        """Runs a program on a real terminal and types each answer once its prompt (a pattern) shows.

        `stdout` of the result is the screen: everything that was shown, what the terminal echoed included.
        """
        parts = [str(part) for part in command]
        began = time.monotonic()
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(self.home)
                os.execvpe(parts[0], parts, {**self.environment, **(also or {})})
            finally:
                os._exit(127)
        try:
            screen = _converse(terminal, list(answers), began + within_s)
        except StageError:
            os.kill(pid, signal.SIGKILL)
            raise
        finally:
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.ran.append(Ran(" ".join(Path(part).name for part in parts), code, screen, "", time.monotonic() - began))
        return self.ran[-1]


def _converse(terminal: int, answers: list[tuple[str, str]], deadline: float) -> str:
    """Everything the program shows until it ends. A prompt is looked for in what came after the last answer."""
    screen, since = "", 0
    while True:
        if time.monotonic() > deadline:
            raise StageError(
                f"the program waits; on its screen: {screen[-800:]!r}; not asked: {[prompt for prompt, _ in answers]}"
            )
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if ready:
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # Linux says EIO when the program has closed its end
                chunk = b""
            if not chunk:
                break
            screen += chunk.decode(errors="replace")
        # Only once the program has gone quiet is the prompt all there and the echo switched off.
        elif answers and re.search(answers[0][0], screen[since:], re.IGNORECASE):
            _, answer = answers.pop(0)
            since = len(screen)
            os.write(terminal, f"{answer}\n".encode())
    if answers:
        raise StageError(f"the program never asked for {[prompt for prompt, _ in answers]}; on its screen: {screen[-800:]!r}")
    return screen
