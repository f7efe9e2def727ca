"""Every line of docs/WORKFLOWS.md, played as an assistant would: the tools it needs are the tools that the line names.

Each play is numbered as in the table, changes a shop of its own stage, and looks afterwards at the shop itself, over plain HTTP.
"""

import json
import re
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from session import Check
from stage import OPEN_WIDE, ROOT, Stage, clean_environment
from wire import Server

TABLE = ROOT / "docs" / "WORKFLOWS.md"

# Folders of the first seeded shop.
NEW, PREPARED, CANCELED, HOLD = 50101, 50102, 50104, 50105

PLAYS = {}


def workflow(number: int):
    """The play of one line of the table."""

    def keep(play):
        PLAYS[number] = play
        return play

    return keep


def expect(held, why="") -> None:
    if not held:
        raise AssertionError(why)


@dataclass
class Shop:
    """The shop itself, past the program that is tested."""

    base_url: str
    store: dict

    def get(self, path: str) -> dict:
        headers = {"ORDERDESK-STORE-ID": str(self.store["store_id"]), "ORDERDESK-API-KEY": self.store["api_key"]}
        with urllib.request.urlopen(urllib.request.Request(f"{self.base_url}{path}", headers=headers), timeout=10) as answer:
            return json.load(answer)

    def order(self, order_id) -> dict:
        return self.get(f"/orders/{order_id}")["order"]

    def orders(self, query: str = "") -> list[dict]:
        return self.get(f"/orders?limit=500{query}")["orders"]

    def history(self, order_id) -> list[dict]:
        return self.get(f"/orders/{order_id}?get_order_history=1")["order"]["order_history"]

    def shipments(self, order_id) -> list[dict]:
        return self.get(f"/orders/{order_id}/shipments")["shipments"]

    def stock(self, code: str) -> dict:
        return self.get(f"/inventory-items?code={code}")["inventory_items"][0]

    def waiting(self, at: int) -> dict:
        """One of the orders that nothing was done with yet, the same one for the same number."""
        fresh = [order for order in self.orders(f"&folder_id={NEW}&order_by=id&order=ASC") if not order["order_shipments"]]
        return fresh[at]


@dataclass
class Assistant:
    """A session that notes which tools it needed, and asks back where a person would be asked."""

    server: Server
    shop: Shop
    used: list[str] = field(default_factory=list)

    def ask(self, tool: str, **arguments) -> dict:
        went_well, text = self.server.call(tool, **arguments)
        self.used.append(tool)
        expect(went_well, f"{tool}: {text[:600]}")
        return json.loads(text)

    def do(self, tool: str, **arguments) -> dict:
        """A change: looked at first, confirmed if asked for, and done."""
        looked = self.ask(tool, dry_run=True, **arguments)
        expect(looked["outcome"] == "preview", f"{tool}: {looked}")
        done = self.ask(tool, **arguments)
        if done["outcome"] == "preview":
            done = self.ask(tool, confirm=done["confirm_token"], **arguments)
        expect(done["outcome"] == "done", f"{tool}: {done}")
        return done


def check(_: Stage) -> list[Check]:
    settings = {**OPEN_WIDE, "ORDERDESK_MCP_TOOLSETS": "all"}
    promised = table()
    with Stage(settings=settings, sandbox=["--no-rate-limit"], vault=True) as stage:
        environment = {**clean_environment(), **stage.server_settings()}
        shop = Shop(stage.base_url, stage.store)
        with Server(environment) as server:
            checks = [played(number, promised.get(number, []), server, shop) for number in sorted(PLAYS)]
    return [*checks, Check("every line of the table is played", sorted(promised) == sorted(PLAYS), f"{sorted(promised)}")]


def played(number: int, promised: list[str], server: Server, shop: Shop) -> Check:
    assistant = Assistant(server, shop)
    try:
        PLAYS[number](assistant, shop)
    except (AssertionError, KeyError, IndexError, TypeError, ValueError, OSError) as wrong:
        return Check(f"{number}", False, f"{type(wrong).__name__}: {wrong}")
    used = list(dict.fromkeys(assistant.used))
    held = sorted(used) == sorted(promised)
    return Check(f"{number}. {' '.join(used)}", held, f"the table says {promised}")


def table() -> dict[int, list[str]]:
    """Which tools the page promises for which number."""
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", TABLE.read_text(), re.MULTILINE)
    return {int(number): re.findall(r"`([a-z_]+)`", tools) for number, tools in rows}


def today(days: int = 0) -> str:
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


# Find and explain


@workflow(1)
def find(assistant, shop):
    order = shop.order(7001001)
    found = assistant.ask("orders_find", query=order["email"])
    expect(order["id"] in [row["id"] for row in found["orders"]], found)
    twins = assistant.ask("orders_find", query="TWIN-1099")
    expect(twins["match"] == "many" and len(twins["orders"]) == 2, twins)


@workflow(2)
def where_is_my_order(assistant, shop):
    order = shop.order(7001015)
    found = assistant.ask("orders_find", query=order["order_shipments"][0]["tracking_number"])
    expect(found["match"] == "one", found)
    parcels = assistant.ask("shipments_list", order_id=found["orders"][0]["id"])["shipments"]
    expect(len(parcels) == len(order["order_shipments"]) and all(parcel["tracking_number"] for parcel in parcels), parcels)


@workflow(3)
def one_customer(assistant, shop):
    order = shop.waiting(0)
    copy = {key: order[key] for key in ("email", "shipping", "customer", "shipping_method")}
    items = [{key: item[key] for key in ("name", "code", "price", "quantity")} for item in order["order_items"]]
    place_behind_its_back(shop, {**copy, "order_items": items, "source_id": "DOUBLE-1"})
    found = assistant.ask("orders_find", query=order["email"], fresh=True)
    expect(len(found["orders"]) >= 2, found)
    report = assistant.ask("orders_summary", duplicates=True, search_start_date=today(-31), fresh=True)
    expect(order["id"] in json.dumps(report["duplicates"]), report)


@workflow(4)
def what_happened(assistant, shop):
    history = assistant.ask("orders_history", order_id="7001001")["history"]
    expect(len(history) == len(shop.history(7001001)), history)


@workflow(5)
def why_not(assistant, shop):
    found = assistant.ask("orders_find", query="7001027")
    folders = {str(folder["id"]): folder["name"] for folder in assistant.ask("folders_list")["folders"]}
    expect(folders[str(found["orders"][0]["folder_id"])] == "Hold", found)
    expect("Hold" in json.dumps(assistant.ask("orders_history", order_id="7001027")), "the move stands in the history")


@workflow(6)
def counterpart(assistant, shop):
    place_behind_its_back(shop, {**somebody(), "source_id": "SPLIT-9", "source_name": "Shopify"})
    place_behind_its_back(shop, {**somebody(), "source_id": "SPLIT-9-M", "source_name": "Shopify"})
    merged = assistant.ask("orders_find", query="SPLIT-9-M")
    original = assistant.ask("orders_find", query="SPLIT-9")
    expect(merged["match"] == original["match"] == "one", (merged, original))
    assistant.ask("orders_history", order_id=merged["orders"][0]["id"])


@workflow(7)
def payments(assistant, shop):
    refunded = assistant.ask("orders_get", order_id="7001018", fields=["payment_status", "refund_total", "order_total"])["order"]
    expect(refunded["payment_status"] == "Fully Refunded" and refunded["refund_total"] == refunded["order_total"], refunded)
    report = assistant.ask("orders_summary", group_by="payment_status", search_start_date=today(-31))
    expect("Pending" in json.dumps(report["groups"]), report)


# Change one order


@workflow(8)
def on_hold(assistant, shop):
    order = shop.waiting(0)
    text = "HOLD - waiting for artwork - until Friday - ticket 4711 - AB"
    assistant.do("orders_add_note", order_id=order["id"], note=text)
    moved = assistant.do("orders_move", order_ids=[order["id"]], folder="hold")
    after = shop.order(order["id"])
    expect(after["folder_id"] == HOLD and after["order_notes"][-1]["content"] == text, after)
    assistant.do("orders_move", order_ids=moved["undo"][0]["order_ids"], folder=str(moved["undo"][0]["folder"]))
    expect(shop.order(order["id"])["folder_id"] == NEW, "released")


@workflow(9)
def note(assistant, shop):
    order = shop.waiting(0)
    assistant.do("orders_add_note", order_id=order["id"], note="Gift wrap, please")
    again = assistant.ask("orders_add_note", order_id=order["id"], note="gift wrap,  please")
    expect(again["outcome"] == "done" and not again["diff"], again)
    assistant.do("orders_add_note", order_id=order["id"], note="Called the customer", kind="history")
    notes = [note["content"] for note in shop.order(order["id"])["order_notes"]]
    expect(notes.count("Gift wrap, please") == 1 and "gift wrap,  please" not in notes, notes)
    expect("Called the customer" in [entry["note"] for entry in shop.history(order["id"])], "in the history")


@workflow(10)
def address(assistant, shop):
    order = shop.waiting(1)
    shown = assistant.ask("orders_get", order_id=order["id"], fields=["shipping"])["order"]["shipping"]
    wanted = {"address1": "99 New Street", "postal_code": "10001"}
    expected = {"shipping": {"address1": shown["address1"]}}
    done = assistant.do("orders_update", order_id=order["id"], changes={"shipping": wanted}, expected=expected)
    expect(len(done["diff"]) == 2, done)
    after = shop.order(order["id"])
    expect(after["shipping"] == {**order["shipping"], **wanted}, after["shipping"])
    expect(after["order_items"] == order["order_items"] and after["customer"] == order["customer"], "the rest is as it was")


@workflow(11)
def shipping_method(assistant, shop):
    order = shop.waiting(1)
    assistant.do("orders_update", order_id=order["id"], changes={"shipping_method": "UPS Next Day", "shipping_total": 19.5})
    assistant.do("orders_add_note", order_id=order["id"], note="Express at the customer's wish", kind="history")
    after = shop.order(order["id"])
    expect(after["shipping_method"] == "UPS Next Day" and float(after["shipping_total"]) == 19.5, after)


@workflow(12)
def items(assistant, shop):
    order = shop.waiting(2)
    before = assistant.ask("order_items_list", order_id=order["id"])["order_items"]
    new = {"name": "Stoneware Mug", "code": "MUG-1", "price": 9.5, "quantity": 1}
    added = assistant.do("order_items_add", order_id=order["id"], item=new)["order_item"]
    changes = {"quantity": 2, "variation_list": {"Engraving": "A.B."}}
    assistant.do("order_items_update", order_id=order["id"], order_item_id=added["id"], changes=changes)
    mug = [item for item in shop.order(order["id"])["order_items"] if item["id"] == added["id"]][0]
    expect(mug["quantity"] == 2 and mug["variation_list"] == {"Engraving": "A.B."} and mug["code"] == "MUG-1", mug)
    assistant.do("order_items_remove", order_id=order["id"], order_item_id=added["id"])
    after = shop.order(order["id"])["order_items"]
    expect([item["id"] for item in after] == [item["id"] for item in before], after)


@workflow(13)
def gift_message(assistant, shop):
    order = shop.waiting(2)
    for message in ("For Ana, with love", None):
        assistant.do("orders_update", order_id=order["id"], changes={"checkout_data": {"Gift Message": message}})
        stored = shop.order(order["id"])["checkout_data"] or {}
        expect(stored.get("Gift Message") == message, stored)


@workflow(14)
def discount(assistant, shop):
    order = shop.waiting(3)
    off = [{"name": "Apology", "code": "", "amount": "5.00"}]
    assistant.do("orders_update", order_id=order["id"], changes={"discount_list": off})
    after = shop.order(order["id"])
    expect(abs(float(after["discount_total"]) - 5) < 0.001, after["discount_total"])
    items = [{"name": item["name"], "code": item["code"], "price": 0, "quantity": 1} for item in order["order_items"][:1]]
    replacement = {"shipping": order["shipping"], "email": order["email"], "source_id": "REPLACE-1", "order_items": items}
    made = assistant.do("orders_create", order=replacement)["order"]
    expect(float(shop.order(made["id"])["order_total"]) == 0, made)


@workflow(15)
def cancel(assistant, shop):
    order = shop.waiting(3)
    assistant.do("orders_move", order_ids=[order["id"]], folder="Canceled")
    assistant.do("orders_add_note", order_id=order["id"], note="Canceled at the customer's wish", kind="history")
    expect(shop.order(order["id"])["folder_id"] == CANCELED, "canceled")
    assistant.do("orders_move", order_ids=[order["id"]], folder="New")
    expect(shop.order(order["id"])["folder_id"] == NEW, "reopened")


@workflow(16)
def tag(assistant, shop):
    order = shop.waiting(3)
    assistant.do("orders_update", order_id=order["id"], changes={"tag_name": "error"})
    expect(shop.order(order["id"])["tag_name"] == "error", "red")


@workflow(17)
def split(assistant, shop):
    order = next(order for order in shop.orders(f"&folder_id={NEW}") if len(order["order_items"]) > 1)
    whole = assistant.ask("orders_get", order_id=order["id"])["order"]
    late = whole["order_items"][-1]
    item = {key: late[key] for key in ("name", "code", "price", "quantity") if key in late}
    second = {"shipping": whole["shipping"], "email": whole["email"], "source_id": f"{whole['id']}-2", "order_items": [item]}
    made = assistant.do("orders_create", order=second)["order"]
    assistant.do("order_items_remove", order_id=order["id"], order_item_id=late["id"])
    for one, other in ((order["id"], made["id"]), (made["id"], order["id"])):
        assistant.do("orders_add_note", order_id=one, note=f"Split, see {other}", kind="history")
    expect(len(shop.order(order["id"])["order_items"]) == len(order["order_items"]) - 1, "one item fewer")
    expect(len(shop.order(made["id"])["order_items"]) == 1, "and there it is")


@workflow(18)
def manual_order(assistant, shop):
    order = assistant.ask("orders_get", order_id="7001001")["order"]
    items = [{key: item[key] for key in ("name", "code", "price", "quantity")} for item in order["order_items"]]
    again = {"shipping": order["shipping"], "email": order["email"], "source_id": "RESHIP-7001001", "order_items": items}
    made = assistant.do("orders_create", order=again)["order"]
    went_well, text = assistant.server.call("orders_create", order=again)
    expect(made["id"] in text and (not went_well or not json.loads(text)["diff"]), text)
    expect(len([order for order in shop.orders() if order["source_id"] == "RESHIP-7001001"]) == 1, "no second one")


# Ship


@workflow(19)
def tracking(assistant, shop):
    order = shop.waiting(4)
    part = [{"id": order["order_items"][0]["id"], "quantity": 1}]
    parcel = {"tracking_number": "1ZWORKFLOW0019", "carrier_code": "UPS", "shipment_method": "Ground", "order_items": part}
    assistant.do("shipments_add", order_id=order["id"], **parcel)
    again = assistant.ask("shipments_add", order_id=order["id"], **parcel)
    expect(again["outcome"] == "done" and not again["diff"], again)
    expect([parcel["tracking_number"] for parcel in shop.shipments(order["id"])] == ["1ZWORKFLOW0019"], "once")


@workflow(20)
def spreadsheet(assistant, shop):
    waiting = [shop.waiting(at) for at in range(3)]
    rows = [{"order_id": order["id"], "tracking_number": f"1ZBATCH{at:04}", "carrier_code": "UPS"} for at, order in enumerate(waiting)]
    rows.append({"order_id": "99999999", "tracking_number": "1ZBATCH9999", "carrier_code": "UPS"})
    for _ in range(2):
        looked = assistant.ask("shipments_batch_add", shipments=rows)
        done = assistant.ask("shipments_batch_add", shipments=rows, confirm=looked["confirm_token"]) if looked["outcome"] == "preview" else looked
        outcomes = [row["outcome"] for row in done["rows"]]
        expect(outcomes == ["done", "done", "done", "not_done"], done)
    for at, order in enumerate(waiting):
        expect([parcel["tracking_number"] for parcel in shop.shipments(order["id"])] == [f"1ZBATCH{at:04}"], order["id"])


@workflow(21)
def wrong_tracking(assistant, shop):
    order = next(order for order in shop.orders() if any(parcel["tracking_number"] == "1ZBATCH0000" for parcel in order["order_shipments"]))
    parcel = assistant.ask("shipments_list", order_id=order["id"], fresh=True)["shipments"][0]
    which = {"order_id": order["id"], "shipment_id": parcel["id"]}
    assistant.do("shipments_update", **which, changes={"tracking_number": "1ZRIGHT0021"})
    expect([parcel["tracking_number"] for parcel in shop.shipments(order["id"])] == ["1ZRIGHT0021"], "mended")
    assistant.do("shipments_remove", **which)
    expect(shop.shipments(order["id"]) == [], "gone")


@workflow(22)
def late(assistant, shop):
    report = assistant.ask("orders_summary", unshipped_after_days=3, search_start_date=today(-31), fresh=True)
    named = {str(row["id"]) for row in report["unshipped"]}
    expect(named and not any(shop.order(id)["order_shipments"] for id in named), report)


# Folders and batches


@workflow(23)
def batch_move(assistant, shop):
    page = assistant.ask("orders_list", folder_name="New", limit=3, fresh=True)["orders"]
    ids = [order["id"] for order in page]
    looked = assistant.ask("orders_move", order_ids=ids, folder="Prepared")
    expect(looked["outcome"] == "preview" and shop.order(ids[0])["folder_id"] == NEW, looked)
    done = assistant.ask("orders_move", order_ids=ids, folder="Prepared", confirm=looked["confirm_token"])
    expect({shop.order(id)["folder_id"] for id in ids} == {PREPARED}, done)
    for back in done["undo"]:
        assistant.do("orders_move", order_ids=back["order_ids"], folder=str(back["folder"]))
    expect({shop.order(id)["folder_id"] for id in ids} == {NEW}, "undone")


@workflow(24)
def per_folder(assistant, shop):
    names = [folder["name"] for folder in assistant.ask("folders_list")["folders"]]
    report = assistant.ask("orders_summary", group_by="folder", search_start_date=today(-31), fresh=True)
    expect("Closed" in names and sum(group["orders"] for group in report["groups"]) == report["orders"], report)


@workflow(25)
def artwork_ready(assistant, shop):
    order = shop.waiting(5)
    assistant.do("orders_move", order_ids=[order["id"]], folder="Prepared")
    expect(shop.order(order["id"])["folder_id"] == PREPARED, "prepared")
    assistant.do("orders_move", order_ids=[order["id"]], folder="New")


@workflow(26)
def restore(assistant, shop):
    order = shop.waiting(5)
    move_behind_its_back(shop, order["id"], HOLD)
    history = assistant.ask("orders_history", order_id=order["id"], fresh=True)["history"]
    expect("Hold" in json.dumps(history), history)
    assistant.do("orders_move", order_ids=[order["id"]], folder="New")
    expect(shop.order(order["id"])["folder_id"] == NEW, "back")


# Stock


@workflow(27)
def stock(assistant, shop):
    mug = assistant.ask("inventory_list", code="MUG-1")["inventory_items"][0]
    expect(mug["stock"] == shop.stock("MUG-1")["stock"], mug)
    low = assistant.ask("inventory_low_stock", threshold=3)["inventory_items"]
    expect([item["code"] for item in low][0] == "TEE-M" and "MUG-1" not in json.dumps(low), low)


@workflow(28)
def count(assistant, shop):
    before = shop.stock("CAP-NVY")
    assistant.do("inventory_adjust", code="CAP-NVY", set_to=40)
    assistant.do("inventory_adjust", code="CAP-NVY", delta=3)
    after = shop.stock("CAP-NVY")
    kept = [key for key in before if key not in ("stock", "date_updated", "update_source")]
    expect(after["stock"] == 43 and all(after[key] == before[key] for key in kept), after)
    rows = [{"code": "CAP-NVY", "stock": 41}, {"code": "NOTE-A5", "stock": 12}, {"code": "NO-SUCH", "stock": 1}]
    looked = assistant.ask("inventory_batch_update", items=rows)
    done = assistant.ask("inventory_batch_update", items=rows, confirm=looked["confirm_token"])
    expect([row["outcome"] for row in done["rows"]] == ["done", "done", "not_done"], done)
    expect((shop.stock("CAP-NVY")["stock"], shop.stock("NOTE-A5")["stock"]) == (41, 12), "counted")


@workflow(29)
def product(assistant, shop):
    item = {"name": "Bottle", "code": "BOTTLE-1", "price": 18, "stock": 7, "metadata": {"print_url": "https://files.example.com/b.pdf"}}
    assistant.do("inventory_create", item=item)
    assistant.do("inventory_update", code="BOTTLE-1", changes={"price": 19.5, "metadata": {"print_sku": "B1"}})
    stored = shop.stock("BOTTLE-1")
    expect(float(stored["price"]) == 19.5 and stored["stock"] == 7 and len(stored["metadata"]) == 2, stored)


@workflow(30)
def who_needs(assistant, shop):
    report = assistant.ask("orders_summary", code="TOTE-NAT", search_start_date=today(-31), fresh=True)
    expect("TOTE-NAT" in json.dumps(report["demand"]) and report["demand"]["stock"] == shop.stock("TOTE-NAT")["stock"], report)


# Reports


@workflow(31)
def this_week(assistant, shop):
    for group_by in ("day", "channel", "folder", "sku"):
        report = assistant.ask("orders_summary", group_by=group_by)
        expect(report["groups"] and report["complete"] is True and report["pages_read"] >= 1, report)


@workflow(32)
def last_hours(assistant, shop):
    query = {"search_start_date": today(-2), "fields": ["id", "source_id", "order_total"], "limit": 2}
    rows = all_pages(assistant, query)
    recent = [order for order in shop.orders() if order["date_added"] >= query["search_start_date"]]
    expect({row["id"] for row in rows} == {order["id"] for order in recent} and set(rows[0]) <= set(query["fields"]), rows)


@workflow(33)
def revenue(assistant, shop):
    start, end = today(-20), today(-10)
    report = assistant.ask("orders_summary", search_start_date=start, search_end_date=end)
    query = f"&search_start_date={start}&search_end_date={end}".replace(" ", "%20")
    orders = shop.orders(query)
    for ours, theirs in (("revenue", "order_total"), ("tax", "tax_total"), ("shipping", "shipping_total"), ("discounts", "discount_total")):
        expect(abs(float(report["totals"][ours]) - sum(float(order[theirs]) for order in orders)) < 0.005, (ours, report))


@workflow(34)
def incremental(assistant, shop):
    query = {"modified_start_date": today(-1), "order_by": "date_updated", "order": "ASC", "limit": 5}
    rows = all_pages(assistant, query)
    changed = [order for order in shop.orders() if order["date_updated"] >= query["modified_start_date"]]
    expect({row["id"] for row in rows} == {order["id"] for order in changed}, (len(rows), len(changed)))


def all_pages(assistant, query: dict) -> list[dict]:
    page = assistant.ask("orders_list", **query)
    rows = page["orders"]
    while page["has_more"]:
        page = assistant.ask("orders_list", **query, cursor=page["next_cursor"])
        rows += page["orders"]
    return rows


@workflow(35)
def compare(assistant, shop):
    names = [store["name"] for store in assistant.ask("stores_list")["stores"]]
    reports = [assistant.ask("orders_summary", store=name) for name in names]
    expect(len(reports) == 2 and all(report["complete"] for report in reports), reports)


# Set-up


@workflow(36)
def connection(assistant, shop):
    status = assistant.ask("server_status", check=True)
    expect(status["status"] == "ok" and status["mode"] == "read-write", status)
    expect(len(assistant.ask("stores_list")["stores"]) == 2, "two shops")
    expect(len(assistant.ask("folders_list")["folders"]) == 6, "six folders")
    expect("timezone" in json.dumps(assistant.ask("store_settings")), "a time zone")


@workflow(37)
def rules(assistant, shop):
    expect("ebhook" in json.dumps(assistant.ask("store_settings")), "webhooks are named where one would ask")
    assistant.ask("folders_list")


def somebody() -> dict:
    return {
        "shipping": {"first_name": "Ada", "last_name": f"Test{time.monotonic_ns()}", "address1": "1 Way", "city": "Dover"},
        "order_items": [{"name": "Stoneware Mug", "code": "MUG-1", "price": 9.5, "quantity": 1}],
    }


def place_behind_its_back(shop: Shop, order: dict) -> None:
    send(shop, "POST", "/orders", order)


def move_behind_its_back(shop: Shop, order_id, folder: int) -> None:
    send(shop, "POST", "/move-orders", {"order_id_list": [int(order_id)], "destination_folder_id": folder})


def send(shop: Shop, method: str, path: str, body: dict) -> None:
    headers = {
        "ORDERDESK-STORE-ID": str(shop.store["store_id"]),
        "ORDERDESK-API-KEY": shop.store["api_key"],
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(f"{shop.base_url}{path}", json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        expect(json.load(answer)["status"] == "success", f"{method} {path}")
