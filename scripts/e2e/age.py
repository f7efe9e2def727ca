"""The age of Debian opens what `key export` writes, and `key import` takes what that age writes. An identity that it has protected with a
passphrase opens backups.

age asks for its passphrase on the terminal and nowhere else, so it gets a real one.
"""

import shutil
from pathlib import Path

from crash_backups import Operator
from session import Check
from shell import Shell
from stage import BIN, Skipped, Stage

PASSPHRASE = "nine wet badgers under a hedge"


def check(stage: Stage) -> list[Check]:
    if shutil.which("age") is None:
        raise Skipped("no age on this machine")
    shell = Shell(stage.folder / "age-user", {**stage.settings, "ORDERDESK_MCP_API_BASE_URL": stage.base_url})
    store = stage.store
    shell.run("init").well()
    shell.run("store", "add", "--name", store["name"], "--id", store["store_id"], stdin=store["api_key"]).well()
    key = (shell.data / "master.key").read_text().strip()
    return [*_theirs_opens_ours(shell, key), *_ours_opens_theirs(stage, shell, key), *_protected_identity(stage)]


def _theirs_opens_ours(shell: Shell, key: str) -> list[Check]:
    sealed = shell.home / "key.age"
    exported = shell.run("key", "export", "--to", sealed, stdin=f"{PASSPHRASE}\n")
    if exported.code != 0 or not sealed.exists():
        return [Check("key export", False, exported.said)]
    opened = shell.on_a_terminal("age", "--decrypt", "-o", "opened", sealed, answers=[("passphrase", PASSPHRASE)])
    wrong = shell.on_a_terminal("age", "--decrypt", "-o", "never", sealed, answers=[("passphrase", f"{PASSPHRASE}s")])
    plain = _text(shell.home / "opened")
    return [
        Check("key export, its file for the owner only", sealed.stat().st_mode & 0o777 == 0o600, f"{sealed.stat().st_mode:o}"),
        Check(
            "the export holds no key in plain",
            key not in _text(sealed) and "AGE ENCRYPTED FILE" in _text(sealed),
            _text(sealed),
        ),
        Check("age opens it, and it is master.key", opened.code == 0 and plain.strip() == key, opened.stdout),
        Check("age does not open it with another passphrase", wrong.code != 0, wrong.stdout),
    ]


def _ours_opens_theirs(stage: Stage, shell: Shell, key: str) -> list[Check]:
    """The move to another machine: the state file is copied, the key comes sealed."""
    (shell.home / "plain").write_text(f"{key}\n")
    twice = [("passphrase", PASSPHRASE), ("confirm", PASSPHRASE)]
    sealed = shell.on_a_terminal("age", "--passphrase", "--armor", "-o", "theirs.age", "plain", answers=twice)
    moved = Shell(stage.folder / "age-moved", shell.settings)
    moved.data.mkdir(parents=True, mode=0o700)
    # Nobody has the old home open, so there is no write-ahead log beside the file.
    shutil.copy(shell.data / "state.db", moved.data / "state.db")
    theirs = shell.home / "theirs.age"
    refused = moved.run("key", "import", theirs, stdin=f"{PASSPHRASE}s\n")
    imported = moved.run("key", "import", theirs, stdin=f"{PASSPHRASE}\n")
    typed = moved.on_a_terminal(
        BIN / "mcp-stdio", "key", "export", "--to", "again.age", answers=[("passphrase", PASSPHRASE), ("", PASSPHRASE)]
    )
    tested = moved.run("store", "test", stage.store["name"])
    return [
        Check("age seals a key", sealed.code == 0, sealed.stdout),
        Check("key import refuses a wrong passphrase", refused.code != 0 and "hint:" in refused.stderr, refused.said),
        Check(
            "key import takes age's file", imported.code == 0 and _text(moved.data / "master.key").strip() == key, imported.said
        ),
        Check("the shop opens on the new machine", tested.code == 0, tested.said),
        Check(
            "key export asks on a terminal, twice, without echo",
            typed.code == 0 and PASSPHRASE not in typed.stdout,
            typed.stdout,
        ),
    ]


def _protected_identity(stage: Stage) -> list[Check]:
    """The secret key of the backups under a passphrase, as age's own documentation recommends it."""
    operator = Operator(stage, "age-identity")
    shell = operator.shell
    operator.ops("backup", "run").well()
    protected, words = shell.home / "protected.age", shell.home / "words"
    twice = [("passphrase", PASSPHRASE), ("confirm", PASSPHRASE)]
    shell.on_a_terminal("age", "--passphrase", "-o", protected, operator.identity, answers=twice).well()
    protected.chmod(0o600)
    words.write_text(f"{PASSPHRASE}\n")
    restore = [BIN / "ops-sidecar", "backup", "restore", "--latest", "--identity", protected, "--to"]
    asked = shell.on_a_terminal(*restore, "asked.db", answers=[("passphrase", PASSPHRASE)])
    wrong = shell.on_a_terminal(*restore, "wrong.db", answers=[("passphrase", f"{PASSPHRASE}s")])
    stopped = shell.on_a_terminal(*restore, "stopped.db", answers=[("passphrase", "\x03")])
    piped = shell.program(*restore, "piped.db", stdin=f"{PASSPHRASE}\n")
    filed = shell.program(*restore, "filed.db", "--passphrase-file", words)
    drilled = shell.on_a_terminal(
        BIN / "ops-sidecar", "backup", "drill", "--identity", protected, answers=[("passphrase", PASSPHRASE)]
    )
    there = {file.name for file in shell.home.glob("*.db")}
    return [
        Check(
            "restore asks for the passphrase of an identity, without echo",
            asked.code == 0 and PASSPHRASE not in asked.stdout,
            asked.stdout,
        ),
        Check("another passphrase is refused", wrong.code == 1 and "hint:" in wrong.stdout, wrong.stdout),
        Check("Ctrl-C at the question ends the command", stopped.code == 1 and "nothing was changed" in stopped.stdout, stopped.stdout),
        Check("without a terminal the way out is named", piped.code == 1 and "--passphrase-file" in piped.stderr, piped.said),
        Check("--passphrase-file answers", filed.code == 0, filed.said),
        Check("a drill asks as well", drilled.code == 0 and "good" in drilled.stdout, drilled.stdout),
        Check("only what was opened was restored", there == {"asked.db", "filed.db"}, f"{there}"),
    ]


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""
