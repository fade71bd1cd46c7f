"""RMS's own adapters walking at simulated aggregators: the two must understand each other."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rms.aggregators.contract import Account, Aggregator, Ask, Brought, Direction, Job, Shipment
from rms.platform.http import HttpAnswer, HttpRequest, NoAnswer
from sandbox.in_process import InProcessHttp
from sandbox.partner import PartnerEngine
from tests.contract.adapters import FORWARD, ORDER

NOW = datetime(2026, 3, 4, 6, 30, tzinfo=UTC)


class Walker:
    """An adapter with an account at one simulated aggregator."""

    def __init__(self, adapter: Aggregator, account: Account, engine: PartnerEngine[Any]) -> None:
        self.adapter, self.account, self.engine = adapter, account, engine
        self.http = InProcessHttp({"partner.example": engine.handle})

    def job(self, order: Any = ORDER) -> Job:
        back = order is not FORWARD and not hasattr(order, "shipment_code")
        direction, code = (Direction.RETURN, order.code) if back else (Direction.FORWARD, order.shipment_code)
        return Job(self.adapter.booking_reference("kaveri-looms", code, 0, direction), order)

    def book(self, job: Job) -> object:
        return self._walk(job, searching=False)

    def find(self, job: Job) -> object:
        return self._walk(job, searching=True)

    def send(self, request: HttpRequest) -> HttpAnswer | NoAnswer:
        return self.http.send(request)

    def cancel(self, shipment: Shipment) -> object:
        request = self.adapter.cancel(self.account, shipment)
        return self.adapter.read_cancel(shipment, self.send(request)) if isinstance(request, HttpRequest) else request

    def pushed(self) -> list[Mapping[str, Any]]:
        """Every webhook that is due now, taken by RMS at the first try."""
        bodies = []
        while webhook := self.engine.claim_webhook():
            bodies.append(json.loads(webhook.body))
            self.engine.webhook_answered(webhook, 200)
        return bodies

    def _walk(self, job: Job, *, searching: bool) -> object:
        progress = job.known
        while True:
            searching = searching and not self.adapter.found(progress)
            following = (self.adapter.find if searching else self.adapter.book)(self.account, job, progress, NOW)
            if not isinstance(following, Ask):
                return following
            result = self.adapter.read(job, following, self.send(following.request), progress)
            if not isinstance(result, Brought):
                return result
            progress = result.progress
