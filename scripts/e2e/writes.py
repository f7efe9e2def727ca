"""Every tool that changes a shop, each with arguments that make sense in the seeded shop, the request that carries its change,
and how often its change is in the shop: the truth that an answer is held against.

Standard library only.
"""

from collections.abc import Callable
from dataclasses import dataclass

# Regular orders of the seeded shop, none of the odd ones.
ORDER, SECOND, THIRD = "7001033", "7001034", "7001035"
STOCK, SECOND_STOCK = "61002", "61003"
HOLD = 50105
EMAIL, CITY, NOTE, CODE = "matrix@example.com", "Matrixville", "matrix was here", "MATRIX-1"
TRACKING = "1ZMATRIX00000001"

# What Order Desk computes or bumps on every write of an order.
COMPUTED = {"date_updated", "order_history", "email_count", "product_total", "order_total", "weight_total", "quantity_total", "item_count"}


@dataclass(frozen=True)
class Write:
    """One call of one tool."""

    name: str
    tool: str
    # The arguments, given what the shop holds.
    arguments: Callable[[dict], dict]
    # Method and path of the request that carries the change.
    request: tuple[str, str]
    # How often each row of the change is in the shop: given what it held before and holds now. One row unless it is a batch.
    effect: Callable[[dict, dict], list[int]]
    # Which orders and stock it may touch, and in these which fields. A list among these only loses what was named.
    orders: tuple[str, ...] = ()
    stock: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset()
    # Sent twice it is there twice, so silence must not be answered by sending it again.
    careful: bool = False
    # Nothing tells it from another one like it, so no look at the shop can say whether it was done.
    blind: bool = False
    batch: bool = False
    # Of a batch: how many rows travel in requests before the one that meets the fault.
    ahead: int = 0


def order_of(state: dict, order_id: str) -> dict:
    return next((order for order in state["orders"] if order["id"] == order_id), {})


def stock_of(state: dict, stock_id: str) -> dict:
    return next((item for item in state["inventory_items"] if str(item["id"]) == stock_id), {})


def shipped(state: dict) -> dict:
    """A regular order with a parcel: the oldest."""
    return next(order for order in state["orders"] if order["order_shipments"])


def parcel(state: dict) -> dict:
    order = shipped(state)
    return {"order_id": order["id"], "shipment_id": order["order_shipments"][0]["id"]}


def item(state: dict) -> dict:
    return {"order_id": ORDER, "order_item_id": order_of(state, ORDER)["order_items"][0]["id"]}


def new_order(**more) -> dict:
    items = [{"name": "Matrix Mug", "code": CODE, "price": 9.5, "quantity": 1}]
    return {"email": EMAIL, "shipping": {"first_name": "Mat", "last_name": "Rix"}, "order_items": items, **more}


def _count(entries: list, key: str, value) -> int:
    return sum(entry[key] == value for entry in entries)


def _updated(_: dict, now: dict) -> list[int]:
    order = order_of(now, ORDER)
    both = (order["email"] == EMAIL, order["shipping"]["city"] == CITY)
    # Half of a change is no change that anybody asked for.
    return [{(True, True): 1, (False, False): 0}.get(both, 99)]


def _moved(before: dict, now: dict) -> list[int]:
    def times(state: dict, order_id: str) -> int:
        return _count(order_of(state, order_id)["order_history"], "note", "Order Moved to Hold Folder")

    return [times(now, each) - times(before, each) for each in (ORDER, SECOND)]


def _parcel_there(state: dict, now: dict) -> dict:
    """The parcel of before, as it is now; empty when it is gone."""
    wanted = parcel(state)
    shipments = order_of(now, wanted["order_id"])["order_shipments"]
    return next((each for each in shipments if each["id"] == wanted["shipment_id"]), {})


def _item_there(before: dict, now: dict) -> dict:
    wanted = item(before)["order_item_id"]
    return next((each for each in order_of(now, ORDER)["order_items"] if each["id"] == wanted), {})


def _adjusted(before: dict, now: dict) -> list[int]:
    added = stock_of(now, STOCK)["stock"] - stock_of(before, STOCK)["stock"]
    return [int(added / 3)]


def _located(now: dict, *ids: str) -> list[int]:
    return [int(stock_of(now, each)["location"] == CITY) for each in ids]


ITEMS, NOTES, SHIPMENTS, FOLDER = (
    frozenset({name}) for name in ("order_items", "order_notes", "order_shipments", "folder_id")
)
ADD = {"name": "Matrix Mug", "code": CODE, "price": 9.5, "quantity": 2}

WRITES = [
    Write(
        "orders_create",
        "orders_create",
        lambda _: {"order": new_order(source_id="MATRIX-1", source_name="Matrix")},
        ("POST", "/orders"),
        lambda _, now: [_count(now["orders"], "email", EMAIL)],
        # That a second one with its number is refused is an assumption.
        careful=True,
    ),
    Write(
        "orders_create, no number",
        "orders_create",
        lambda _: {"order": new_order()},
        ("POST", "/orders"),
        lambda _, now: [_count(now["orders"], "email", EMAIL)],
        careful=True,
        blind=True,
    ),
    Write(
        "orders_update",
        "orders_update",
        lambda _: {"order_id": ORDER, "changes": {"email": EMAIL, "shipping": {"city": CITY}}},
        ("PUT", "/orders/*"),
        _updated,
        orders=(ORDER,),
        fields=frozenset({"email", "shipping"}),
    ),
    Write(
        "orders_add_note, staff",
        "orders_add_note",
        lambda _: {"order_id": ORDER, "note": NOTE, "kind": "staff"},
        ("PUT", "/orders/*"),
        lambda _, now: [_count(order_of(now, ORDER)["order_notes"], "content", NOTE)],
        orders=(ORDER,),
        fields=NOTES,
    ),
    Write(
        "orders_add_note, history",
        "orders_add_note",
        lambda _: {"order_id": ORDER, "note": NOTE, "kind": "history"},
        ("POST", "/orders/*/order-history"),
        lambda _, now: [_count(order_of(now, ORDER)["order_history"], "note", NOTE)],
        orders=(ORDER,),
        careful=True,
    ),
    Write(
        "orders_move",
        "orders_move",
        lambda _: {"order_ids": [ORDER, SECOND], "folder": "Hold"},
        ("POST", "/move-orders"),
        _moved,
        orders=(ORDER, SECOND),
        fields=FOLDER,
        # What comes late may fetch an order back that a rule has moved on.
        careful=True,
        batch=True,
    ),
    Write(
        "orders_delete",
        "orders_delete",
        lambda _: {"order_id": ORDER},
        ("DELETE", "/orders/*"),
        lambda _, now: [int(not order_of(now, ORDER))],
        orders=(ORDER,),
    ),
    Write(
        "order_items_add",
        "order_items_add",
        lambda _: {"order_id": ORDER, "item": ADD},
        ("POST", "/orders/*/order-items"),
        lambda _, now: [_count(order_of(now, ORDER)["order_items"], "code", CODE)],
        orders=(ORDER,),
        fields=ITEMS,
        careful=True,
    ),
    Write(
        "order_items_update",
        "order_items_update",
        lambda state: {**item(state), "changes": {"quantity": 77}},
        ("PUT", "/orders/*/order-items/*"),
        lambda before, now: [int(float(_item_there(before, now).get("quantity", 0)) == 77)],
        orders=(ORDER,),
        fields=ITEMS,
    ),
    Write(
        "order_items_remove",
        "order_items_remove",
        item,
        ("DELETE", "/orders/*/order-items/*"),
        lambda before, now: [int(not _item_there(before, now))],
        orders=(ORDER,),
        fields=ITEMS,
    ),
    Write(
        "shipments_add",
        "shipments_add",
        lambda _: {"order_id": ORDER, "tracking_number": TRACKING, "carrier_code": "UPS"},
        ("POST", "/orders/*/shipments"),
        lambda _, now: [_count(order_of(now, ORDER)["order_shipments"], "tracking_number", TRACKING)],
        orders=(ORDER,),
        fields=SHIPMENTS,
    ),
    Write(
        "shipments_update",
        "shipments_update",
        lambda state: {**parcel(state), "changes": {"tracking_url": "https://example.com/matrix"}},
        ("PUT", "/orders/*/shipments/*"),
        lambda before, now: [int(_parcel_there(before, now).get("tracking_url") == "https://example.com/matrix")],
        orders=("shipped",),
        fields=SHIPMENTS,
    ),
    Write(
        "shipments_remove",
        "shipments_remove",
        parcel,
        ("DELETE", "/orders/*/shipments/*"),
        lambda before, now: [int(not _parcel_there(before, now))],
        orders=("shipped",),
        fields=SHIPMENTS,
    ),
    Write(
        "shipments_batch_add",
        "shipments_batch_add",
        lambda _: {
            "shipments": [
                {"order_id": ORDER, "tracking_number": TRACKING, "carrier_code": "UPS"},
                {"order_id": SECOND, "tracking_number": TRACKING, "carrier_code": "UPS"},
            ]
        },
        ("POST", "/batch-shipments"),
        lambda _, now: [_count(order_of(now, each)["order_shipments"], "tracking_number", TRACKING) for each in (ORDER, SECOND)],
        orders=(ORDER, SECOND),
        fields=SHIPMENTS,
        batch=True,
    ),
    Write(
        "inventory_create",
        "inventory_create",
        lambda _: {"item": {"name": "Matrix Mug", "code": CODE, "price": 9.5, "stock": 4}},
        ("POST", "/inventory-items"),
        lambda _, now: [_count(now["inventory_items"], "code", CODE)],
        careful=True,
    ),
    Write(
        "inventory_update",
        "inventory_update",
        lambda _: {"inventory_item_id": STOCK, "changes": {"location": CITY}},
        ("PUT", "/inventory-items/*"),
        lambda _, now: _located(now, STOCK),
        stock=(STOCK,),
        fields=frozenset({"location"}),
    ),
    Write(
        "inventory_adjust",
        "inventory_adjust",
        lambda _: {"inventory_item_id": STOCK, "delta": 3},
        ("PUT", "/inventory-items/*"),
        _adjusted,
        stock=(STOCK,),
        fields=frozenset({"stock"}),
    ),
    Write(
        "inventory_remove",
        "inventory_remove",
        lambda _: {"inventory_item_id": STOCK},
        ("DELETE", "/inventory-items/*"),
        lambda _, now: [int(not stock_of(now, STOCK))],
        stock=(STOCK,),
    ),
    Write(
        "inventory_batch_update",
        "inventory_batch_update",
        lambda _: {"items": [{"id": STOCK, "location": CITY}, {"id": SECOND_STOCK, "location": CITY}]},
        ("PUT", "/batch-inventory-items"),
        lambda _, now: _located(now, STOCK, SECOND_STOCK),
        stock=(STOCK, SECOND_STOCK),
        fields=frozenset({"location"}),
        batch=True,
    ),
]


# Three parcels for each of forty orders: more than fit into one request.
MANY = [(order, f"1ZMANY{order}{number}") for number in range(3) for order in map(str, range(7001001, 7001041))]
IN_ONE_REQUEST = 100


def _parcels(state: dict) -> list[int]:
    numbers = [shipment["tracking_number"] for order in state["orders"] for shipment in order["order_shipments"]]
    return [numbers.count(number) for _, number in MANY]


WRITES.append(
    Write(
        f"shipments_batch_add, {len(MANY)}",
        "shipments_batch_add",
        lambda _: {"shipments": [{"order_id": order, "tracking_number": number} for order, number in MANY]},
        ("POST", "/batch-shipments"),
        lambda _, now: _parcels(now),
        orders=tuple(sorted({order for order, _ in MANY})),
        fields=SHIPMENTS,
        batch=True,
        ahead=IN_ONE_REQUEST,
    )
)


def collateral(write: Write, before: dict, now: dict, also: frozenset[str] = frozenset()) -> str:
    """What changed that nobody asked to be changed; empty when nothing did. `also` are fields that somebody else may change."""
    orders = {shipped(before)["id"] if each == "shipped" else each for each in write.orders}
    changed = []
    for kind, touched in (("orders", orders), ("inventory_items", set(write.stock))):
        after = {str(each["id"]): each for each in now[kind]}
        for old in before[kind]:
            allowed = write.fields | also if str(old["id"]) in touched else frozenset()
            new = after.get(str(old["id"]))
            if new is None:
                if not (str(old["id"]) in touched and write.request[0] == "DELETE" and not write.fields):
                    changed.append(f"{kind} {old['id']} is gone")
                continue
            if str(old["id"]) not in touched and kind == "orders" and old["order_history"] != new["order_history"]:
                changed.append(f"order {old['id']} was written to")
            changed += [f"{kind} {old['id']}.{path}" for path in _differences(old, new, allowed)]
    return "; ".join(changed[:4])


def _differences(old: dict, new: dict, allowed: frozenset[str]) -> list[str]:
    names = [name for name in {**old, **new} if name not in COMPUTED]
    wrong = [name for name in names if name not in allowed and _meaning(old.get(name)) != _meaning(new.get(name))]
    for name in allowed:
        if isinstance(old.get(name), list):
            # What was in the list before is still in it, but for one that was named.
            kept = [_meaning(each) for each in new.get(name) or []]
            wrong += [name for _ in [each for each in old[name] if _meaning(each) not in kept][1:2]]
        elif isinstance(old.get(name), dict):
            inner = [key for key in old[name] if _meaning(old[name][key]) != _meaning((new.get(name) or {}).get(key))]
            wrong += [f"{name}.{key}" for key in inner if key != "city"]
    return wrong


def _meaning(value):
    """The same for 10, 10.0 and "10"; the same for every empty thing but 0 and ""."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value) if value.strip() == value and value else value
        except ValueError:
            return value
    if isinstance(value, dict) and value:
        return {key: _meaning(each) for key, each in value.items() if key not in COMPUTED}
    if isinstance(value, list) and value:
        return [_meaning(each) for each in value]
    return None
