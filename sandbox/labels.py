"""Shipping labels of simulated partners: small PDFs, each of its own parcel."""

from typing import Final

from sandbox.faults import Answer

LABELS: Final = "/labels/"
LABEL_FILE: Final = "label-file"
"""The operation for faults: somebody fetches a label's file."""

LABEL_BASE: Final = "https://labels.example.com"
"""Where labels stand for an engine without a server; a server puts its own URL there."""


def label_file(path: str) -> Answer:
    """The label at a path: whole, and unlike any other."""
    name = path.rpartition("/")[2].removesuffix(".pdf").encode()
    objects = b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]>>endobj"
    return Answer(200, {"Content-Type": "application/pdf"}, b"%PDF-1.4\n%% " + name + b"\n" + objects + b"\n%%EOF\n")
