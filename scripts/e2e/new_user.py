"""A new user with a clean home: three commands of ours, and the real Claude Code reports the server connected.

The way that docs and README promise, with its commands counted and timed. Then what a person may still do: add a second
shop by typing its key on a terminal, which must not show it, and take everything out again.
"""

import json

import claude_code
from session import Check
from shell import Shell
from stage import BIN, Stage

COMMANDS = 3
WITHIN_S = 120

CONNECTED = "Connected"


def check(stage: Stage) -> list[Check]:
    first, second = stage.stores[0], stage.stores[1]
    # The shop of this test is simulated, so its address has to be said; a real user's is the default.
    shell = Shell(stage.folder / "newcomer", {"ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    key = first["api_key"]

    init = shell.run("init")
    added = shell.run("store", "add", "--name", first["name"], "--id", first["store_id"], stdin=f"{key}\n")
    installed = shell.run("install", "--client", "claude-code")
    ours = list(shell.ran)
    got = claude_code.run(shell, "mcp", "get", "orderdesk")
    seconds = sum(ran.seconds for ran in shell.ran)
    listed = claude_code.run(shell, "mcp", "list")
    count = sum(ran.code == 0 for ran in ours)
    checks = [
        Check("init", init.code == 0, init.said),
        Check("store add, the key on stdin", added.code == 0 and first["name"] in added.said, added.said),
        Check("install --client claude-code", installed.code == 0, installed.said),
        Check("claude mcp get says Connected", got.code == 0 and CONNECTED in got.stdout, got.said),
        Check(
            "claude mcp list says Connected",
            any("orderdesk" in line and CONNECTED in line for line in listed.stdout.splitlines()),
            listed.said,
        ),
        Check(
            f"{count} commands, {seconds:.1f} s",
            count == len(ours) == COMMANDS and seconds < WITHIN_S,
            f"not {COMMANDS} commands in {WITHIN_S} s",
        ),
    ]
    checks += [*_answers(shell, first), *_typed(shell, second), *_again(shell), *_taken_out(shell)]
    return [*checks, *_nowhere(shell, [first["api_key"], second["api_key"]])]


def _answers(shell: Shell, store: dict) -> list[Check]:
    """What Claude would see: the shop that was added, without the setting of its address."""
    called = shell.run("call", "stores_list", "{}", also={"ORDERDESK_MCP_API_BASE_URL": ""})
    return [Check("the shop is listed", called.code == 0 and store["name"] in called.stdout, called.said)]


def _typed(shell: Shell, store: dict) -> list[Check]:
    """A second shop, its key typed at the prompt of a real terminal."""
    add = [BIN / "mcp-stdio", "store", "add", "--name", "Typed", "--id", store["store_id"]]
    typed = shell.on_a_terminal(*add, answers=[("key", store["api_key"])])
    return [
        Check("store add, the key typed on a terminal", typed.code == 0, typed.stdout),
        Check("the terminal shows nothing of the key", store["api_key"][:8] not in typed.stdout, "the key was echoed"),
        Check("the typed key opens the shop", shell.run("store", "test", "Typed").code == 0, shell.ran[-1].said),
    ]


def _again(shell: Shell) -> list[Check]:
    """The same commands a second time change nothing that was there."""
    before = claude_code.settings_file(shell).read_text()
    key = (shell.data / "master.key").read_text()
    init, install = shell.run("init"), shell.run("install", "--client", "claude-code")
    entry = lambda text: json.loads(text)["mcpServers"]
    same = entry(before) == entry(claude_code.settings_file(shell).read_text())
    return [
        Check("init again keeps the key", init.code == 0 and key == (shell.data / "master.key").read_text(), init.said),
        Check("install again changes nothing", install.code == 0 and same, install.said),
    ]


def _taken_out(shell: Shell) -> list[Check]:
    others = {
        name: value for name, value in json.loads(claude_code.settings_file(shell).read_text()).items() if name != "mcpServers"
    }
    gone = shell.run("install", "--client", "claude-code", "--uninstall")
    left = json.loads(claude_code.settings_file(shell).read_text())
    got = claude_code.run(shell, "mcp", "get", "orderdesk")
    return [
        Check("install --uninstall", gone.code == 0, gone.said),
        Check("Claude Code no longer knows the server", got.code != 0 and CONNECTED not in got.said, got.said),
        Check("its other settings are as they were", all(left.get(name) == value for name, value in others.items()), f"{left}"),
    ]


def _nowhere(shell: Shell, secrets: list[str]) -> list[Check]:
    """Neither key is in anything that was printed, nor in any file of the home, the host's own files included."""
    secrets = [*secrets, (shell.data / "master.key").read_text().strip()]
    said = "".join(ran.said for ran in shell.ran)
    files = [path for path in shell.home.rglob("*") if path.is_file() and path != shell.data / "master.key"]
    held = [str(path) for path in files for secret in secrets if secret.encode() in path.read_bytes()]
    told = any(secret in said for secret in secrets)
    return [
        Check(
            f"no secret is in what was printed, nor in {len(files)} files", not told and not held and len(files) > 2, f"{held}"
        )
    ]
