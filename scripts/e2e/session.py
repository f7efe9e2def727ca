"""One session with a shop, said once for every client: what is called, and what a right answer looks like.

Each client module plays `calls(stage)` its own way and hands back a `Played`; `judge` looks at it. So every client is held
to the same expectations, and a new expectation reaches all of them. Where the stage keeps two shops in its vault, the same
calls find the default one, and some more go to the other.
"""

import json
from dataclasses import dataclass, field

from stage import Stage

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
REVISION = {"legacy": LEGACY, "modern": MODERN, "auto": MODERN}

# The sandbox's seeded shop: its oldest order.
ORDER_ID = "7001001"

# In the server's own order, which is always the same, so that a client's prompt cache holds.
TOOLS = [
    "server_status",
    "stores_list",
    "stores_use",
    "stores_register",
    "folders_list",
    "store_settings",
    "orders_list",
    "orders_find",
    "orders_get",
    "orders_history",
    "orders_summary",
    "orders_update",
    "orders_add_note",
    "orders_move",
    "shipments_list",
    "shipments_add",
    "inventory_list",
    "inventory_get",
    "inventory_adjust",
    "inventory_low_stock",
]

# What a session calls: (name of the step, tool, arguments).
CALLS = [
    ("status", "server_status", {}),
    ("stores", "stores_list", {}),
    ("settings", "store_settings", {}),
    ("folders", "folders_list", {}),
    ("order", "orders_get", {"order_id": ORDER_ID}),
    ("order, id as a number", "orders_get", {"order_id": int(ORDER_ID)}),
    ("page", "orders_list", {"limit": 3}),
    ("found", "orders_find", {"query": ORDER_ID}),
    ("history", "orders_history", {"order_id": ORDER_ID}),
    ("stock", "inventory_list", {"limit": 2}),
    ("dry run", "orders_update", {"order_id": ORDER_ID, "changes": {"shipping": {"city": "Nowhere"}}, "dry_run": True}),
    ("no such order", "orders_get", {"order_id": "99999999"}),
    ("misspelt argument", "orders_get", {"order_idd": ORDER_ID}),
    ("no such tool", "orders_gte", {}),
]


# What nobody should ever pass, passed all the same; it looks like the keys that Order Desk issues.
PASTED_KEY = "cAnAry7pQ9vZ2mX5tB4wL6hJ1dF0gS8eU7iY3oRk"

# The second shop, by its name in small letters and by its id; it stands in another time zone than the first.
OTHER, OTHER_ID, OTHER_ZONE = "demo outlet", "4243", "Asia/Tokyo"

# What else a session calls where two shops are in the vault. From `chosen` on it is about the other shop.
VAULT_CALLS = [
    ("other shop, by name", "store_settings", {"store": OTHER}),
    ("other shop, by id", "store_settings", {"store": OTHER_ID}),
    ("misspelt shop", "store_settings", {"store": "demo outlte"}),
    ("order of the wrong shop", "orders_get", {"order_id": ORDER_ID, "store": OTHER}),
    ("third shop", "stores_register", {"store_id": "4711", "store_name": "Third"}),
    ("a key is passed", "stores_register", {"store_id": "4711", "store_name": "Third", "api_key": PASTED_KEY}),
    ("chosen", "stores_use", {"store": OTHER_ID}),
    ("chosen shop", "store_settings", {}),
]


def calls(stage: Stage) -> list[tuple]:
    return [*CALLS, *VAULT_CALLS] if stage.vault else CALLS


@dataclass
class Answer:
    """What a client made of one call. `refused` is the code of a JSON-RPC error, when there was one."""

    is_error: bool = False
    structured: dict | None = None
    text: str = ""
    refused: int | None = None
    failed: str | None = None


@dataclass
class Played:
    """What one client saw of one session."""

    revision: str
    tools: list[str]
    answers: dict[str, Answer] = field(default_factory=dict)


@dataclass
class Check:
    """One expectation and whether it held; `why` is for the reader of a failure."""

    name: str
    held: bool
    why: str = ""


def judge(played: Played, era: str, stage: Stage) -> list[Check]:
    """Every expectation that every client has to see met."""
    checks = [
        Check("speaks the era's revision", played.revision == REVISION[era], f"{played.revision}, not {REVISION[era]}"),
        Check("lists the tools in order", played.tools == TOOLS, f"{played.tools}"),
    ]
    for step, expectation in {**EXPECTED, **(EXPECTED_OF_A_VAULT if stage.vault else {})}.items():
        if step not in played.answers:
            continue
        answer = played.answers[step]
        try:
            held, why = bool(expectation(answer)), ""
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as wrong:
            held, why = False, f"{type(wrong).__name__}: {wrong}; "
        checks.append(Check(step, held, why + json.dumps(answer.__dict__, ensure_ascii=False)[:600]))
    return checks


def good(answer: Answer) -> dict:
    """The structured content of an answer that succeeded. Its text says the same: clients show one or the other."""
    if answer.refused is not None or answer.failed or answer.is_error:
        raise TypeError("no good answer")
    if json.loads(answer.text) != answer.structured:
        raise TypeError("text and structured content differ")
    return answer.structured


def is_the_order(answer: Answer) -> bool:
    order = good(answer)["order"]
    return order["id"] == ORDER_ID and "@" in order["email"] and order["order_items"]


def is_a_page(answer: Answer) -> bool:
    page = good(answer)
    return len(page["orders"]) == 3 and page["has_more"] is True and page["next_cursor"]


def is_found(answer: Answer) -> bool:
    found = good(answer)
    return found["match"] == "one" and found["orders"][0]["id"] == ORDER_ID


def is_a_preview(answer: Answer) -> bool:
    preview = good(answer)
    (change,) = preview["diff"]
    shown = (preview["outcome"], change["path"], change["after"])
    return shown == ("preview", "shipping.city", "Nowhere") and change["before"] and preview["confirm_token"]


def is_a_clear_error(answer: Answer, *words: str) -> bool:
    return answer.is_error and all(word in answer.text for word in words)


EXPECTED = {
    "status": lambda a: "version" in good(a),
    "stores": lambda a: len(good(a)["stores"]) == 1,
    "settings": lambda a: good(a)["settings"],
    "folders": lambda a: len(good(a)["folders"]) >= 6,
    "order": is_the_order,
    "order, id as a number": is_the_order,
    "page": is_a_page,
    "found": is_found,
    "history": lambda a: good(a)["history"],
    "stock": lambda a: len(good(a)["inventory_items"]) == 2,
    "dry run": is_a_preview,
    "no such order": lambda a: is_a_clear_error(a, "99999999"),
    "misspelt argument": lambda a: is_a_clear_error(a, "order_idd", "order_id"),
    "no such tool": lambda a: a.refused == -32602 or a.failed,
}


def are_two_shops(answer: Answer) -> bool:
    active = {store["name"]: store["active"] for store in good(answer)["stores"]}
    return active == {"Demo Store": True, "Demo Outlet": False}


def is_the_other_shop(answer: Answer) -> bool:
    return good(answer)["settings"]["settings"]["timezone"] == OTHER_ZONE


def is_a_way_to_add_it(answer: Answer) -> bool:
    """The command to type, which asks for the key; no tool does."""
    return all(word in answer.text for word in ("store add", "Third", "4711")) and not answer.is_error


def is_refused_unheard(answer: Answer) -> bool:
    return (answer.is_error or answer.refused) and PASTED_KEY not in answer.text and "rotate" in answer.text


EXPECTED_OF_A_VAULT = {
    "stores": are_two_shops,
    "other shop, by name": is_the_other_shop,
    "other shop, by id": is_the_other_shop,
    "misspelt shop": lambda a: is_a_clear_error(a, "Demo Outlet"),
    "order of the wrong shop": lambda a: is_a_clear_error(a, ORDER_ID),
    "third shop": is_a_way_to_add_it,
    "a key is passed": is_refused_unheard,
    "chosen": lambda a: good(a)["store"]["name"] == "Demo Outlet",
    "chosen shop": is_the_other_shop,
}
