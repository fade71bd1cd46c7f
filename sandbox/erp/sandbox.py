"""A client's ERP as a server, with the control API `/sandbox/…` described in sandbox/README.md."""

from collections.abc import Mapping
from typing import Any

from sandbox.erp.engine import ErpEngine
from sandbox.posting import InboxSandbox
from sandbox.server import newest

type Values = Mapping[str, Any]


class ErpSandbox(InboxSandbox[ErpEngine]):
    """An ERP on 127.0.0.1: `with ErpSandbox() as erp:`, postings to `erp.inbox`."""

    NAME = "erp"

    def __init__(self, *, port: int = 0, verbose: bool = False, **options: Any) -> None:
        engine = ErpEngine(**options)
        super().__init__(
            engine,
            {
                "GET postings": lambda values: newest(engine.postings(), values),
                "GET postings/*": lambda code, _: [row for row in engine.postings() if row["return_code"] == code],
                "GET doubles": lambda values: newest(engine.doubles(), values),
                "POST refuse": lambda values: _refuse(engine, values),
                "POST accept": lambda _: engine.accept(),
                "POST settings": lambda values: _change(engine, values),
            },
            port=port,
            verbose=verbose,
        )


def _refuse(engine: ErpEngine, values: Values) -> None:
    if unknown := values.keys() - {"message", "times", "return_code"}:
        raise ValueError(f"{', '.join(sorted(unknown))}: not known")
    engine.refuse(
        str(values.get("message", "refused")),
        times=int(values.get("times", 1)),
        return_code=values.get("return_code"),
    )


def _change(engine: ErpEngine, values: Values) -> None:
    if values.keys() != {"deduplicates"} or not isinstance(values["deduplicates"], bool):
        raise ValueError("deduplicates: true or false is all that can be set")
    engine.deduplicates = values["deduplicates"]
