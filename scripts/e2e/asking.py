"""Whoever is about to delete something is asked first: by their own client, in both eras, or by a preview and a second call.

Two clients nobody here wrote play the same steps with a person who agrees, declines, closes the question or never answers; a
step's policy says which. What was said is held against what the shop holds afterwards.
"""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import ElicitResult

from sandbox import Sandbox
from session import Answer, Check
from stage import TOOLS, Stage, StageError
from writes import new_order, order_of

# Node resolves packages beside the script, and the packages live under target/.
SCRIPT = TOOLS / "node" / "asking.mjs"

# A person who never answers is waited for most of a minute.
WITHIN_S = 120

# A step is (name, tool, arguments, policy): what the person does if asked. An argument {"token_of": NAME} is the confirm_token
# of an earlier step's answer.
ACCEPT, UNTICKED, DECLINE, CANCEL, NEVER = "accept", "unticked", "decline", "cancel", "never"


def asked(deleted: str, kept: str) -> list[tuple]:
    """A client that can ask."""
    return [
        ("a dry run", "orders_delete", {"order_id": kept, "dry_run": True}, ACCEPT),
        ("a light change", "orders_update", {"order_id": kept, "changes": {"email": "asked@example.com"}}, DECLINE),
        ("declined", "orders_delete", {"order_id": kept}, DECLINE),
        ("closed", "orders_delete", {"order_id": kept}, CANCEL),
        ("accepted with an empty box", "orders_delete", {"order_id": kept}, UNTICKED),
        ("accepted", "orders_delete", {"order_id": deleted}, ACCEPT),
    ]


def not_asked(deleted: str, kept: str) -> list[tuple]:
    """A client that cannot ask."""
    token = {"token_of": "preview"}
    return [
        ("preview", "orders_delete", {"order_id": deleted}, None),
        ("the token for another order", "orders_delete", {"order_id": kept, "confirm": token}, None),
        ("the token for another tool", "orders_update", {"order_id": deleted, "changes": {"email": "x@example.com"}, "confirm": token}, None),
        ("confirmed", "orders_delete", {"order_id": deleted, "confirm": token}, None),
        ("confirmed again", "orders_delete", {"order_id": deleted, "confirm": token}, None),
    ]


def unanswered(deleted: str, kept: str) -> list[tuple]:
    """A client that says that it can ask, and drops the question."""
    return [
        ("silence", "orders_delete", {"order_id": deleted}, NEVER),
        ("not asked twice", "orders_delete", {"order_id": kept}, ACCEPT),
        ("confirmed after all", "orders_delete", {"order_id": deleted, "confirm": {"token_of": "silence"}}, ACCEPT),
    ]


OUTCOMES = {
    "a dry run": "preview",
    "a light change": "done",
    "declined": "not_done",
    "closed": "not_done",
    "accepted with an empty box": "not_done",
    "accepted": "done",
    "preview": "preview",
    "the token for another order": "error",
    "the token for another tool": "error",
    "confirmed": "done",
    "confirmed again": "error",
    "silence": "preview",
    "not asked twice": "preview",
    "confirmed after all": "done",
}
# What the person must have been asked about, in this order.
QUESTIONS = {
    asked: ["declined", "closed", "accepted with an empty box", "accepted"],
    not_asked: [],
    unanswered: ["silence"],
}


def check(stage: Stage) -> list[Check]:
    """Both clients, both eras. Only in the legacy era does the server itself wait for an answer."""
    plays = [
        (play, era, steps)
        for play in (_python, _typescript)
        for era in ("legacy", "auto")
        for steps in (asked, not_asked, *([unanswered] if era == "legacy" else []))
    ]
    shutil.copy(Path(__file__).with_suffix(".mjs"), SCRIPT)
    with ThreadPoolExecutor(len(plays)) as players:
        playing = [players.submit(_played, stage, *play) for play in plays]
        checks = [check for each in playing for check in each.result()]
    return [*checks, _stale_preview(stage)]


def _played(stage: Stage, play, era: str, steps) -> list[Check]:
    sandbox = Sandbox(stage)
    deleted, kept = (sandbox.call("POST", "/orders", new_order())["order"]["id"] for _ in range(2))
    answers, questions = play(stage, era, steps(deleted, kept))
    now, who = sandbox.state(), f"{play.__name__.strip('_')} {era}"
    checks = []
    for name, tool, arguments, _ in steps(deleted, kept):
        answer = answers[name]
        outcome = "error" if answer.is_error else (answer.structured or {}).get("outcome", "none")
        held = outcome == OUTCOMES[name] and (outcome != "preview" or bool(answer.structured.get("confirm_token")))
        checks.append(Check(f"{who}: {name}: {OUTCOMES[name]}", held, f"{outcome}: {answer.text[:500]}"))
    asked_about = [kept, kept, kept, deleted] if steps is asked else [deleted] * len(QUESTIONS[steps])
    named = len(questions) == len(asked_about) and all(each in text for each, text in zip(asked_about, questions, strict=True))
    checks.append(Check(f"{who}: {len(asked_about)} questions, each names its order", named, json.dumps(questions)[:800]))
    there = (bool(order_of(now, deleted)), bool(order_of(now, kept)))
    checks.append(Check(f"{who}: the shop holds what was said", there == (False, True), f"deleted, kept: {there}"))
    return checks


def _stale_preview(stage: Stage) -> Check:
    """What a preview showed has to be so still when it is confirmed."""
    from wire import Server

    sandbox = Sandbox(stage)
    order = sandbox.call("POST", "/orders", new_order())["order"]
    change = {"order_id": order["id"], "changes": {"email": "ours@example.com"}}
    with Server(stage.server_settings()) as server:
        token = server.result("orders_update", {**change, "dry_run": True})["structuredContent"]["confirm_token"]
        sandbox.call("PUT", f"/orders/{order['id']}", {**order, "email": "theirs@example.com"})
        result = server.result("orders_update", {**change, "confirm": token})
    email = order_of(sandbox.state(), order["id"])["email"]
    held = bool(result.get("isError")) and "changed since" in json.dumps(result) and email == "theirs@example.com"
    return Check("a preview that is no longer true is not carried out", held, f"{email}: {json.dumps(result)[:500]}")


def _python(stage: Stage, era: str, steps: list[tuple]) -> tuple[dict, list]:
    return anyio.run(_python_session, stage, "auto" if era == "auto" else "legacy", steps)


async def _python_session(stage: Stage, mode: str, steps: list[tuple]) -> tuple[dict, list]:
    server = StdioServerParameters(command=stage.server(), env=stage.server_settings())
    policy, questions, answers = [None], [], {}

    async def person(_, params) -> ElicitResult:
        questions.append(params.message)
        if policy[0] == NEVER:
            await anyio.sleep_forever()
        if policy[0] in (ACCEPT, UNTICKED):
            return ElicitResult(action="accept", content={"confirm": policy[0] == ACCEPT})
        return ElicitResult(action=policy[0])

    asks = any(step[3] for step in steps)
    async with Client(server, mode=mode, elicitation_callback=person if asks else None) as client:
        for name, tool, arguments, what in steps:
            policy[0] = what
            answers[name] = await _python_call(client, tool, _with_tokens(arguments, answers))
        return answers, questions


async def _python_call(client: Client, tool: str, arguments: dict) -> Answer:
    try:
        result = await client.call_tool(tool, arguments)
    except MCPError as refused:
        return Answer(refused=refused.code, text=refused.message)
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return Answer(bool(result.is_error), result.structured_content, text)


def _with_tokens(arguments: dict, answers: dict[str, Answer]) -> dict:
    token = arguments.get("confirm")
    if token is None:
        return arguments
    return {**arguments, "confirm": (answers[token["token_of"]].structured or {}).get("confirm_token", "none")}


def _typescript(stage: Stage, era: str, steps: list[tuple]) -> tuple[dict, list]:
    what = {"command": stage.server(), "env": stage.server_settings(), "mode": era, "steps": steps}
    ran = subprocess.run(
        ["node", SCRIPT, json.dumps(what)], capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL
    )
    if ran.returncode != 0:
        raise StageError(f"the TypeScript client ended with {ran.returncode}: {ran.stderr[-800:]}")
    seen = json.loads(ran.stdout)
    return {name: Answer(**answer) for name, answer in seen["answers"].items()}, seen["questions"]
