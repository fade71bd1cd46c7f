"""The rules of docs/adr and of the tree, held to the source: who may import whom, and what no module does."""

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

from tests.infrastructure.imports import CORE, Import, Module, all_imports, core_modules, handlers, imports_of
from tests.infrastructure.stack import ROOT

BELOW: Final[Mapping[str, frozenset[str]]] = {
    "model": frozenset(),
    "platform": frozenset({"model"}),
    "journal": frozenset({"model", "platform"}),
    "aggregators": frozenset({"model", "platform"}),
    "partners": frozenset({"model", "platform"}),
    "exchanges": frozenset({"model", "platform", "partners"}),
    "core": frozenset({"journal", "platform"}),
    "composition": frozenset({"core", "platform"}),
    **dict.fromkeys(
        ("clients", "shipments", "returns", "forward", "notifications"),
        frozenset({"model", "platform", "journal", "core", "aggregators", "partners", "exchanges"}),
    ),
}
"""What each package may import besides itself and the neighbours below. Arrows point one way."""

NEIGHBOURS: Final[Mapping[tuple[str, str], str]] = {
    ("shipments", "rms.clients.configuration"): "a booking is made under the client's account",
    ("shipments", "rms.clients.choice"): "another account books what one cannot",
    ("shipments", "rms.clients.accounts"): "looking a booking up takes the account's secrets",
    ("returns", "rms.clients.configuration"): "who books, and who must hear",
    ("returns", "rms.clients.stores"): "a replacement order is in one of the client's web shops",
    ("returns", "rms.clients.choice"): "which account books a return, and what that asks of it",
    ("returns", "rms.clients.returns_prime"): "reading a request and writing back take the connection's token",
    ("returns", "rms.shipments.cancelling"): "a request that is rejected is cancelled as by a call",
    ("returns", "rms.shipments.booking"): "what a booking says to who asks again",
    ("returns", "rms.shipments.starting"): "creating a return books its AWB in the same call",
    ("returns", "rms.shipments.order_states"): "how far its goods are says what can still be done with a return",
    ("returns", "rms.shipments.claims"): "an AWB is claimed in the transaction that creates its return",
    ("returns", "rms.shipments.showing"): "a return is shown with its booking, timeline and cursors, as a parcel is",
    ("returns", "rms.shipments.tracking"): "an announced return is made from a tracking update",
    ("returns", "rms.shipments.wake"): "who is to be told",
    ("shipments", "rms.notifications.sinks.webhook"): "a client's own system is asked with headers like an endpoint's",
    ("forward", "rms.clients.configuration"): "who ships, who must hear, whether the client gives labels itself",
    ("forward", "rms.clients.choice"): "which accounts ship a parcel",
    ("forward", "rms.shipments.booking"): "what the booking of a parcel that is known says",
    ("forward", "rms.shipments.label_files"): "how long a link works, and the row that wants a label",
    ("forward", "rms.shipments.labels"): "a label is fetched in the call that books its parcel",
    ("forward", "rms.shipments.showing"): "a parcel is shown with its booking, timeline and cursors, as a return is",
    ("forward", "rms.shipments.starting"): "shipping a parcel books its AWB in the same call",
    ("forward", "rms.shipments.wake"): "who is to be told",
    ("notifications", "rms.clients.configuration"): "where a client wants to hear",
    ("notifications", "rms.returns.results"): "what a warehouse said is told as it is shown",
    ("notifications", "rms.shipments.showing"): "a cursor is shown as reading its order shows it",
    ("notifications", "rms.shipments.wake"): "a replay wakes the tellers, as an append does",
    # Pure modules on texts, numbers and URLs out of other people's hands; they know no aggregator.
    ("partners", "rms.aggregators.reading"): "what a partner sends is read as what an aggregator sends is",
    ("partners", "rms.aggregators.options"): "a base URL is checked as an aggregator's is",
    # Pure modules that say what an endpoint and an account may be; they know no capability.
    ("clients", "rms.notifications.signing"): "an endpoint's secret is made as the signer wants it",
    ("clients", "rms.notifications.sinks.webhook"): "the sink says which static headers it can send",
    ("clients", "rms.shipments.wake"): "who resumes an endpoint has it looked after",
    ("clients", "rms.returns.rules"): "an account names order fields that its courier insists on",
}
"""What a capability uses of another, and why. Shipments know nothing of returns and of forward shipping."""

PURE: Final = ("rms.aggregators", "rms.exchanges", "rms.notifications.sinks", "rms.partners")
AWS_AND_HTTP: Final = frozenset({"boto3", "botocore", "requests", "urllib3", "socket", "ssl"})

READS_THE_ENVIRONMENT: Final = {
    "rms.composition": "the composition root builds the core from it",
    "rms.platform.events": "asks whether Lambda is initialising",
}
READS_A_CLOCK: Final = {
    "rms.composition": "hands the clock to the core",
    "rms.core": "pauses while somebody else logs in; the pause is an argument",
    "rms.platform.events": "measures how long an invocation takes",
    "rms.platform.outbound": "keeps its time limits",
    "rms.journal.journal": "pauses between rounds; the pause is an argument",
    "rms.platform.dynamodb": "pauses between tries; the pause is an argument",
    "rms.platform.sqs": "pauses between tries; the pause is an argument",
}
MADE_AT_IMPORT: Final = {
    "Logger": "Powertools' logger writes to standard output",
    "Metrics": "counted in memory, printed at the end of an invocation",
    "client_api": "a table of routes; the core behind it is built by the first call",
    "queue_worker": "a handler; the core behind it is built by the first call",
    "aggregator_webhook": "a handler; the core behind it is built by the first call",
    "signed_webhook": "a handler; the core behind it is built by the first call",
    "at_init": "builds the core only when Lambda is initialising",
}
"""Calls of our own or of Powertools that may stand at module level."""

OPENS: Final = {"open", "open_client", "open_table", "open_queues", "open_secrets", "Outbound", "get_session", "core"}


def _source() -> list[Module]:
    return [*core_modules().values(), *handlers().values()]


def _of_capability(found: Import) -> tuple[str, str] | None:
    """Importing and imported package of an import inside the core that leaves its package; else None."""
    if not found.imported.startswith("rms."):
        return None
    importer, imported = found.importer.split(".")[1:2], found.imported.split(".")[1]
    return None if not importer or importer[0] == imported else (importer[0], imported)


def test_the_rules_know_every_package() -> None:
    packages = {module.package for name, module in core_modules().items() if "." in name}

    assert packages == set(BELOW)


def test_arrows_point_one_way() -> None:
    wrong = [
        f"{found.importer} imports {found.imported}"
        for found in all_imports()
        if (pair := _of_capability(found)) is not None
        and pair[1] not in BELOW[pair[0]]
        and (pair[0], found.imported) not in NEIGHBOURS
    ]

    assert wrong == []


def test_every_named_neighbour_is_used() -> None:
    used = {(pair[0], found.imported) for found in all_imports() if (pair := _of_capability(found)) is not None}

    assert set(NEIGHBOURS) - used == set()


def test_no_module_loads_itself_in_a_circle() -> None:
    """A package is loaded before its modules, so it counts as loaded by each of them from outside."""
    graph: dict[str, set[str]] = {}
    for found in all_imports():
        if found.at_start and found.imported in core_modules():
            graph.setdefault(found.importer, set()).add(found.imported)
            parents = found.imported.split(".")[:-1]
            for depth in range(2, len(parents) + 1):
                parent = ".".join(parents[:depth])
                if not found.importer.startswith(f"{parent}.") and found.importer != parent:
                    graph[found.importer].add(parent)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


@pytest.mark.parametrize("package", PURE)
def test_adapters_and_sinks_are_pure(package: str) -> None:
    """No capability, no AWS, no HTTP library, no clock, no environment: all that they need is an argument."""
    for found in all_imports():
        if not found.importer.startswith(package):
            continue
        assert found.imported.split(".")[0] not in {*AWS_AND_HTTP, "os", "time", "random", "secrets"}, found
        assert found.imported not in {"rms.core", "rms.composition"}, found
        if found.imported.startswith(("rms.clients", "rms.shipments", "rms.returns", "rms.journal")):
            pytest.fail(f"{found.importer} imports {found.imported}")
    for module in _source():
        if module.name.startswith(package):
            assert "datetime.now(" not in module.path.read_text(), module.name


def test_aws_and_http_libraries_are_loaded_in_platform_only() -> None:
    outside = [
        f"{found.importer} imports {found.imported}"
        for name in (*core_modules(), *handlers())
        for found in imports_of(name)
        if found.imported.split(".")[0] in AWS_AND_HTTP and not found.importer.startswith("rms.platform.")
    ]

    assert outside == []


def test_only_functions_know_the_composition_root() -> None:
    assert [found.importer for found in all_imports() if found.imported == "rms.composition"] == []
    assert all(
        any(found.imported == "rms.composition" for found in imports_of(name))
        for name, module in handlers().items()
        if module.path.name == "app.py"
    )


def test_the_environment_is_read_in_named_places() -> None:
    readers = {
        module.name
        for module in _source()
        for node in ast.walk(module.tree)
        if ast.unparse(node) in {"os.environ", "os.getenv", "environ", "getenv"}
    }

    assert readers == set(READS_THE_ENVIRONMENT)


def test_the_clock_is_read_in_named_places() -> None:
    called = re.compile(r"(datetime\.(now|utcnow)|date\.today|time\.(time|sleep|monotonic)|perf_counter)")
    readers = {
        module.name
        for module in _source()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name) and called.fullmatch(ast.unparse(node))
    }

    assert readers == set(READS_A_CLOCK)


def test_nothing_is_opened_at_import_time() -> None:
    opened = [
        f"{module.name}: {ast.unparse(call)[:80]}"
        for module in _source()
        for call in _calls_at_import(module.tree)
        if ast.unparse(call.func).split(".")[-1] in OPENS
    ]

    assert opened == []


def test_handlers_make_nothing_at_import_but_their_wrapper() -> None:
    made = {
        ast.unparse(call.func)
        for module in handlers().values()
        for call in _calls_at_import(module.tree)
        if not ast.unparse(call.func).startswith("api.")  # registers a route
    }

    assert made <= set(MADE_AT_IMPORT)


def test_every_module_says_what_it_is_for() -> None:
    """Ruff asks for docstrings of public names; an empty one would please it."""
    silent = [module.name for module in _source() if not (ast.get_docstring(module.tree) or "").strip()]

    assert [name for name in silent if name != "rms"] == []


def test_nothing_is_printed_and_nothing_put_off() -> None:
    unfinished = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    for module in _source():
        printed = [
            call
            for call in ast.walk(module.tree)
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {"print", "breakpoint", "pprint"}
        ]
        assert printed == [], module.name
        assert unfinished.search(module.path.read_text()) is None, module.name


def test_every_adapter_is_registered() -> None:
    adapters = {path.parent.name for path in (CORE / "rms" / "aggregators").glob("*/adapter.py")}
    registered = {found.imported for found in imports_of("rms.aggregators.registry")}

    assert adapters
    assert {f"rms.aggregators.{name}" for name in adapters} <= registered


def test_every_fake_is_used_by_a_test() -> None:
    fakes = {path.stem for path in (ROOT / "tests" / "fakes").glob("*.py")} - {"__init__"}
    used = {
        name.removeprefix("tests.fakes.")
        for path in _tests()
        if path.parent.name != "fakes" or path.parent.parent.name == "unit"
        for name in re.findall(r"^from (tests\.fakes\.\w+) import", path.read_text(), re.MULTILINE)
    }

    assert fakes - used == set()


def test_every_public_name_of_a_fake_is_used() -> None:
    """A helper that no test asks for is a claim that nobody checks."""
    texts = {path: path.read_text() for path in _tests()}
    unused = []
    for path in (ROOT / "tests" / "fakes").glob("*.py"):
        for node in ast.parse(texts[path]).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                mentions = re.compile(rf"\b{node.name}\b")
                elsewhere = any(mentions.search(text) for other, text in texts.items() if other != path)
                if not elsewhere and len(mentions.findall(texts[path])) == 1:
                    unused.append(f"{path.stem}.{node.name}")

    assert unused == []


def _tests() -> Iterator[Path]:
    yield from (ROOT / "tests").rglob("*.py")


def _calls_at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that happen when a module is loaded: outside functions, decorators included."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(getattr(node, "decorator_list", []))
        else:
            waiting.extend(ast.iter_child_nodes(node))
