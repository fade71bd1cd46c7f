"""Every call that the core makes to a fake, counted in one sequence, so that a fault can be put at any of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock
from typing import Final, Never


class Fault(Enum):
    """What may happen to one call. The process dies, or the caller is left without the answer."""

    KILLED_BEFORE = "process killed before the call"
    KILLED_AFTER = "process killed after the call"
    REPLY_LOST = "reply lost"
    LATE = "takes effect late, without a reply"
    THROTTLED = "throttled"
    REPEATED = "reply lost, repeated by the client inside the call"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its number in the flow (from 1), the port, the operation and what it was given."""

    number: int
    port: str
    operation: str
    arguments: tuple[object, ...]


class ProcessKilledError(BaseException):
    """The Lambda environment is gone. No code of ours may catch this, hence no Exception."""

    def __init__(self, call: Call) -> None:
        super().__init__(f"killed at call {call.number}: {call.port}.{call.operation}")
        self.call = call


type Plan = Callable[[Call], Fault | None]


def no_faults(_: Call) -> None:
    """The plan of a good day."""


@dataclass(slots=True)
class Calls:
    """What the fakes of one world share: the record of calls, the plan of faults, effects that are still under way.

    `plan` is asked once per call. `before` and `after` run around each call, outside any lock of a fake, so they may
    use the fakes themselves: an interleaving is a `before` that does another caller's work. `after` sees only calls
    that answered. Effects that are late happen when `land` is called, or by themselves once `late_by` further calls
    have been made.
    """

    plan: Plan = no_faults
    before: Callable[[Call], object] = no_faults
    after: Callable[[Call], object] = no_faults
    late_by: int | None = None
    made: list[Call] = field(default_factory=list)
    _late: list[tuple[int, Callable[[], object]]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def land(self) -> None:
        """Let every late effect happen now. What is refused then is refused silently: nobody listens any more."""
        with self._lock:
            effects, self._late = self._late, []
        for _, effect in effects:
            _unheard(effect)

    def run[T](
        self,
        port: str,
        operation: str,
        arguments: tuple[object, ...],
        effect: Callable[[], T],
        no_answer: Callable[[Fault], T],
    ) -> T:
        """Make one call.

        Args:
            port: which fake.
            operation: which method.
            arguments: recorded as they are.
            effect: does the work and answers.
            no_answer: what the caller gets, or has raised, when the fault leaves it without the real answer.
        """
        with self._lock:
            call = Call(len(self.made) + 1, port, operation, arguments)
            self.made.append(call)
        self._land_due(call.number)
        self.before(call)
        answer = self._suffer(call, self.plan(call), effect, no_answer)
        self.after(call)
        return answer

    def _suffer[T](
        self, call: Call, fault: Fault | None, effect: Callable[[], T], no_answer: Callable[[Fault], T]
    ) -> T:
        match fault:
            case Fault.KILLED_BEFORE:
                raise ProcessKilledError(call)
            case Fault.KILLED_AFTER:
                _unheard(effect)
                raise ProcessKilledError(call)
            case Fault.REPLY_LOST:
                _unheard(effect)
                return no_answer(fault)
            case Fault.LATE:
                with self._lock:
                    self._late.append((call.number, effect))
                return no_answer(fault)
            case Fault.THROTTLED:
                return no_answer(fault)
            case Fault.REPEATED:
                _unheard(effect)
                return effect()
            case None:
                return effect()

    def _land_due(self, number: int) -> None:
        if self.late_by is None:
            return
        with self._lock:
            due = [effect for made, effect in self._late if number > made + self.late_by]
            self._late = [(made, effect) for made, effect in self._late if number <= made + self.late_by]
        for effect in due:
            _unheard(effect)


def _unheard(effect: Callable[[], object]) -> None:
    """Let it happen; a refusal finds nobody listening, but a test's own assertion inside a partner stays loud."""
    try:
        effect()
    except AssertionError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, its caller has gone
        return


def at(number: int, fault: Fault) -> Plan:
    """The plan that strikes one call and no other."""
    return lambda call: fault if call.number == number else None


def raising(error: type[Exception]) -> Callable[[Fault], Never]:
    """A port whose caller learns of a missing answer by this exception."""

    def no_answer(fault: Fault) -> Never:
        raise error(fault.value)

    return no_answer


ALL_FAULTS: Final = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.LATE, Fault.THROTTLED)
"""The five that every call of every flow is put through. `REPEATED` is the table client's own retry."""
