"""Commands killed in the middle: at every write, sync, rename and removal that they make, one after the other, and where they
write to a shop at every send to it (`crash_writes`).

A tracer (strace) kills the real command as it is about to make its n-th call of one kind, for n = 1, 2, … until a run gets
through. After each kill: exactly one master key opens every shop, never none, never a mixture; servers that were running go
on; a client's file is the old one or the new one. Then the same with a disk that fails or is full instead of a kill.

Usage: crash_points.py [--whole]     --whole fails every call in both ways; part of scripts/soak. Kills are always at every call.
"""

import json
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crash_backups
import crash_writes
import secret_service
import wire
from faults import Broken, Tally, each_disk_error, each_kill, hold, was_killed
from session import ORDER_ID
from shell import Ran, Shell
from stage import OPEN_WIDE, Skipped, Stage, StageError


class Shop:
    """A user with two sealed shops, whose key is in `master.key`."""

    def __init__(self, stage: Stage, name: str, also: dict[str, str] | None = None):
        self.stage = stage
        self.shell = Shell(stage.folder / name, {**OPEN_WIDE, "ORDERDESK_MCP_API_BASE_URL": stage.base_url, **(also or {})})
        self.shell.run("init").well()
        for store in stage.stores:
            self.shell.run("store", "add", "--name", store["name"], "--id", store["store_id"], stdin=store["api_key"]).well()
        self.names = [store["name"] for store in stage.stores]

    @property
    def key_file(self) -> Path:
        return self.shell.data / "master.key"

    def keys(self) -> set[str]:
        """Every key that is lying about in the home."""
        files = [self.key_file, self.key_file.with_name("master.key.next")]
        return {file.read_text().strip() for file in files if file.exists() and file.read_text().strip()}

    def opened_with(self, key: str) -> set[str]:
        """The shops whose seals this key opens, asked of a process that has it from its environment."""
        return {
            name
            for name in self.names
            if self.shell.run("store", "test", name, also={"ORDERDESK_MCP_MASTER_KEY": key}).code == 0
        }

    def one_key_works(self, before: str) -> str:
        """Which of the keys it is. Raises `Broken` when it is none, or when each of several opens a part."""
        everything = set(self.names)
        opened = {key: self.opened_with(key) for key in {before, *self.keys()}}
        if sorted(map(len, opened.values())) != [0] * (len(opened) - 1) + [len(everything)]:
            raise Broken(f"{len(opened)} keys open {[sorted(names) for names in opened.values()]}")
        # And as a user: no key in hand, the home has to find it.
        for name in self.names:
            self.shell.run("store", "test", name).well()
        works = next(key for key, names in opened.items() if names)
        if self.key_file.read_text().strip() != works:
            raise Broken("the key that works is not the one in master.key")
        return works


def rotation(stage: Stage, whole: bool) -> Tally:
    """One home, rotated again and again under two servers that read all the while."""
    tally = Tally("key rotate")
    shop = Shop(stage, "rotating")
    shell = shop.shell
    first = shop.key_file.read_text().strip()
    before = [first]

    def attempt(tracer: list[str]) -> Ran:
        before[0] = shop.key_file.read_text().strip()
        return shell.run("key", "rotate", "--yes", under=tracer)

    with (
        wire.Server(shell.environment) as running,
        wire.Server({**shell.environment, "ORDERDESK_MCP_MASTER_KEY": first}) as left_behind,
    ):

        def holds(ran: Ran) -> None:
            for name in shop.names:
                well, text = running.call("store_settings", store=name, fresh=True)
                if not well:
                    raise Broken(f"a running server lost {name}: {text}")
            works = shop.one_key_works(before[0])
            if ran.code != 0:
                tally.outcomes["the old key" if works == before[0] else "the new key"] += 1
            well, text = left_behind.call("store_settings", store=shop.names[0], fresh=True)
            if well == (shop.key_file.read_text().strip() != first):
                raise Broken(f"a server with the first key {'still reads' if well else 'no longer reads'}: {text}")

        each_kill(tally, attempt, holds)
        each_disk_error(tally, whole, attempt, holds)
        # As when two people have the same idea: whoever comes second waits or is told, and one key works.
        before[0] = shop.key_file.read_text().strip()
        with ThreadPoolExecutor() as several:
            rotations = [several.submit(shell.run, "key", "rotate", "--yes") for _ in range(4)]
        if not any(each.result().code == 0 for each in rotations):
            tally.broken.append(f"of four rotations at once none got through: {rotations[0].result().said}")
        hold(tally, "four rotations at once", holds, rotations[0].result())
        well, text = left_behind.call("orders_get", order_id=ORDER_ID)
        if well or "rotated" not in text:
            tally.broken.append(f"a server with a key that was rotated away says: {text}")
    verified = shell.run("audit", "verify")
    if verified.code != 0:
        tally.broken.append(f"the audit chain: {verified.said}")
    return tally


def rotation_in_a_keyring(stage: Stage, whole: bool) -> Tally:
    """The same with the key in a Secret Service, whose part is done by threads and over a bus: killed at moments spread evenly."""
    tally = Tally("key rotate, in a keyring")
    try:
        with secret_service.keyring(stage.folder / "crashing-keyring") as address:
            shop = Shop(stage, "rotating-in-a-keyring", {**secret_service.FROM_KEYRING, "DBUS_SESSION_BUS_ADDRESS": address})
            with wire.Server(shop.shell.environment) as running:
                _each_moment(tally, shop, running, 100 if whole else 20)
            if shop.key_file.exists():
                tally.broken.append("there is a key file")
    except (Skipped, FileNotFoundError) as reason:
        tally.skipped = f"no keyring to be had here: {reason}"
    return tally


def _each_moment(tally: Tally, shop: Shop, running: wire.Server, moments: int) -> None:
    """Kills a rotation after each fraction of the time that a whole one takes; every shop still opens for old and new processes."""

    def holds(_: Ran) -> None:
        for name in shop.names:
            shop.shell.run("store", "test", name).well()
            well, text = running.call("store_settings", store=name, fresh=True)
            if not well:
                raise Broken(f"a running server lost {name}: {text}")

    undisturbed = shop.shell.run("key", "rotate", "--yes").well()
    for moment in range(moments):
        before = _key_id(shop)
        after_s = undisturbed.seconds * 1.1 * moment / moments
        ran = shop.shell.run("key", "rotate", "--yes", under=["timeout", "--signal=KILL", f"{after_s + 0.001:.4f}"])
        tally.kills += was_killed(ran)
        hold(tally, f"killed after {after_s * 1000:.0f} ms", holds, ran)
        if was_killed(ran):
            tally.outcomes["the old key" if _key_id(shop) == before else "the new key"] += 1


def _key_id(shop: Shop) -> str:
    return shop.shell.run("key", "show-id").well().stdout


def first_steps(stage: Stage, whole: bool) -> Tally:
    """`init` in homes that have nothing: whatever a crash leaves, the same command finishes it."""
    tally = Tally("init")
    homes = iter(range(10_000))
    shell = [Shell(stage.folder / "never")]

    def attempt(tracer: list[str]) -> Ran:
        shell[0] = Shell(stage.folder / f"init-{next(homes)}")
        return shell[0].run("init", under=tracer)

    def holds(_: Ran) -> None:
        user = shell[0]
        user.run("init").well()
        user.run("key", "show-id").well()
        mode = (user.data / "master.key").stat().st_mode & 0o777
        with sqlite3.connect(user.data / "state.db") as state:
            (tenants,) = state.execute("select count(*) from tenants").fetchone()
        state.close()
        if (tenants, mode) != (1, 0o600):
            raise Broken(f"{tenants} tenants, master.key with mode {mode:o}")

    each_kill(tally, attempt, holds)
    each_disk_error(tally, whole, attempt, holds)
    shell[0] = Shell(stage.folder / "init-by-many")
    with ThreadPoolExecutor() as several:
        ran = [several.submit(shell[0].run, "init") for _ in range(8)]
    hold(tally, "eight at once", holds, ran[0].result())
    return tally


def adding(stage: Stage, _: bool) -> Tally:
    """`store add` that replaces: the shop is there with the old key or with the new, and opens."""
    tally = Tally("store add --replace")
    shop = Shop(stage, "adding")
    store = stage.stores[0]

    def attempt(tracer: list[str]) -> Ran:
        add = ["store", "add", "--name", store["name"], "--id", store["store_id"], "--replace"]
        return shop.shell.run(*add, stdin=store["api_key"], under=tracer)

    def holds(_: Ran) -> None:
        for name in shop.names:
            shop.shell.run("store", "test", name).well()

    each_kill(tally, attempt, holds)
    verified = shop.shell.run("audit", "verify")
    if verified.code != 0:
        tally.broken.append(f"the audit chain: {verified.said}")
    return tally


def importing(stage: Stage, whole: bool) -> Tally:
    """`key import` into a home that has lost its key: whatever a crash leaves, the same command finishes it."""
    tally = Tally("key import")
    shop = Shop(stage, "importing")
    key = shop.key_file.read_text()

    def attempt(tracer: list[str]) -> Ran:
        shop.key_file.unlink()
        return shop.shell.run("key", "import", "-", stdin=key, under=tracer)

    def holds(ran: Ran) -> None:
        if ran.code == 0 and shop.keys() != {key.strip()}:
            raise Broken("the import said that all is well")
        shop.shell.run("key", "import", "-", stdin=key).well()
        for name in shop.names:
            shop.shell.run("store", "test", name).well()

    each_kill(tally, attempt, holds)
    each_disk_error(tally, whole, attempt, holds)
    return tally


def installing(stage: Stage, whole: bool) -> Tally:
    """`install` into a client's file that has other things in it: the old one or the new one, never half of one."""
    tally = Tally("install --client claude-code")
    old = {"numStartups": 7, "mcpServers": {"other": {"type": "stdio", "command": "/bin/true", "args": []}}}
    shell = Shell(stage.folder / "installing")
    file = shell.home / ".claude.json"
    shell.run("init").well()

    def attempt(tracer: list[str]) -> Ran:
        file.write_text(json.dumps(old, indent=2))
        return shell.run("install", "--client", "claude-code", under=tracer)

    def holds(ran: Ran) -> None:
        try:
            now = json.loads(file.read_text())
        except ValueError as wrong:
            raise Broken(f"{file.name} is no JSON: {wrong}") from wrong
        added = now["mcpServers"].pop("orderdesk", None)
        if now != old or (ran.code == 0 and added is None):
            raise Broken(f"{file.name} is neither the old nor the new one: {now}")

    each_kill(tally, attempt, holds)
    each_disk_error(tally, whole, attempt, holds)
    return tally


def _timed(play, *arguments) -> tuple[Tally, float]:
    began = time.monotonic()
    return play(*arguments), time.monotonic() - began


def main(arguments: list[str]) -> int:
    whole = "--whole" in arguments
    print(
        "crash points: each command killed at each of its writes, syncs, renames and removals; then a disk that fails or is full"
    )
    tallies, held = [], []
    with Stage(settings=OPEN_WIDE, sandbox=["--no-rate-limit"]) as stage:
        for play in (rotation, rotation_in_a_keyring, first_steps, adding, importing, installing):
            began = time.monotonic()
            tallies.append(play(stage, whole))
            held.append(tallies[-1].report(time.monotonic() - began))
        # Each of these has a home of its own, so they are killed side by side.
        with ThreadPoolExecutor(2) as players:
            for tally, took_s in players.map(lambda play: _timed(play, stage, whole), crash_backups.PLAYS):
                tallies.append(tally)
                held.append(tally.report(took_s))
    # Each write has a stage of its own.
    with ThreadPoolExecutor(2) as players:
        for tally, took_s in players.map(lambda write: _timed(crash_writes.play, write, whole), crash_writes.killed(whole)):
            tallies.append(tally)
            held.append(tally.report(took_s))
    print(f"  {sum(tally.kills for tally in tallies)} kills and {sum(tally.errors for tally in tallies)} disk errors in all")
    print(f"\n{sum(held)} passed, {len(held) - sum(held)} failed")
    return 0 if all(held) and all(tally.kills >= tally.least_kills for tally in tallies if not tally.skipped) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StageError as error:
        sys.exit(f"the stage did not come up: {error}")
