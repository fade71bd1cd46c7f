"""Clickpost as a server: the engine behind HTTP, and threads that post its webhooks."""

from typing import Any

from sandbox.clickpost.control import control
from sandbox.clickpost.engine import ClickpostEngine
from sandbox.clickpost.settings import Settings
from sandbox.serving import AggregatorSandbox


class ClickpostSandbox(AggregatorSandbox[ClickpostEngine]):
    """A simulated Clickpost on 127.0.0.1.

    `with ClickpostSandbox(webhook_url=…) as clickpost:` listens at `clickpost.base_url`, which stands for
    `https://www.clickpost.in/api`, and shares its behaviour and its truth as `clickpost.engine`.
    Keyword arguments besides these are those of `Settings`.
    """

    partner = "clickpost"

    def __init__(self, *, port: int = 0, verbose: bool = False, senders: int = 1, **settings: Any) -> None:
        engine = ClickpostEngine(Settings().changed(settings))
        super().__init__(engine, control(engine), port=port, verbose=verbose, senders=senders)
