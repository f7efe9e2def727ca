"""The simulated shop as somebody else sees it: its control endpoint, which tells what really happened, and its API with no
product of ours in between. Standard library only."""

import json
import urllib.request

from stage import Stage, StageError

ANSWERS_WITHIN_S = 10


class Sandbox:
    """The first shop of a stage."""

    def __init__(self, stage: Stage):
        self.base_url = stage.base_url
        self.control_url = stage.base_url.removesuffix("/api/v2") + "/__sandbox"
        self.store = stage.store

    def state(self) -> dict:
        """All that the shop holds: `orders` with their history, `inventory_items`, `folders`."""
        return self._control("GET", "state")[str(self.store["store_id"])]

    def requests(self) -> list[dict]:
        """What was asked since the last `reset` or `forget`, oldest first."""
        return self._control("GET", "requests")

    def forget(self) -> None:
        self._control("DELETE", "requests")

    def reset(self) -> None:
        """Back to the seeded data; faults and requests are forgotten."""
        self._control("POST", "reset")

    def fault(self, fault: dict, request: tuple[str, str], times: int = 1, skip: int = 0) -> None:
        """Lets the next `times` requests (0: all) with this method and path meet the fault, after `skip` that do not."""
        method, path = request
        rule = {"fault": fault, "method": method, "path": path, "times": times, "skip": skip}
        self._control("POST", "faults", rule)

    def lift_faults(self) -> None:
        self._control("DELETE", "faults")

    def fired(self) -> int:
        """How many requests have met a fault."""
        return sum(rule["fired"] for rule in self._control("GET", "faults"))

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """An API call of somebody else, with the shop's key."""
        headers = {"ORDERDESK-STORE-ID": str(self.store["store_id"]), "ORDERDESK-API-KEY": self.store["api_key"]}
        return self._ask(method, self.base_url + path, body, headers)

    def _control(self, method: str, what: str, body: dict | None = None):
        return self._ask(method, f"{self.control_url}/{what}", body, {})

    @staticmethod
    def _ask(method: str, url: str, body: dict | None, headers: dict):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as answer:
                return json.loads(answer.read())
        except OSError as wrong:
            raise StageError(f"{method} {url}: {wrong}") from wrong
