"""Virtual time, in which the real code waits as threads do and nobody sleeps.

One thread runs at a time: whoever waits hands the baton to whoever is due next, so the same seed gives the same run.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Final

START: Final = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


class _EndOfTimeError(BaseException):
    """Nobody waits any longer. No code of ours may catch this, hence no Exception."""


class _Thread:
    """A thread of the operating system, for one piece of work after another, that runs only while it has the baton."""

    def __init__(self, timeline: "Timeline") -> None:
        self.baton = threading.Lock()
        self.baton.acquire()
        self.work: Callable[[], object] | None = None
        self._timeline = timeline
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it run out, wherever it waits."""
        self.baton.release()
        self._thread.join()

    def _live(self) -> None:
        timeline = self._timeline
        self.baton.acquire()
        while self.work is not None:
            try:
                self.work()
            except _EndOfTimeError:
                return
            except BaseException as error:  # noqa: BLE001 - the run fails with it, in the thread of the test
                timeline.failed(error)
            self.work = None
            if not timeline.goes_on_in(self):
                self.baton.acquire()


class Timeline:
    """Moments in order. `seconds` is the time since the start; `clock` is the same as a time of day."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.over = False
        self._until = 0.0
        self._moments: list[tuple[float, int, _Thread | Callable[[], object]]] = []
        self._numbers = count()
        self._baton = threading.Lock()
        self._baton.acquire()
        self._running: _Thread | None = None
        self._idle: list[_Thread] = []
        self._all: list[_Thread] = []
        self._failure: BaseException | None = None

    def clock(self) -> datetime:
        """The time of day."""
        return START + timedelta(seconds=self.seconds)

    def seconds_of(self, moment: datetime) -> float:
        """A time of day, as seconds since the start."""
        return (moment - START).total_seconds()

    def at(self, seconds: float, work: Callable[[], object]) -> None:
        """Do something at this moment, in a thread of its own that may wait."""
        self._push(max(seconds, self.seconds), work)

    def wait(self, seconds: float) -> None:
        """Let so much time pass for the thread that calls; outside of all threads time stands still."""
        thread = self._running
        if thread is None:
            return
        if self.over:
            raise _EndOfTimeError
        moment = self.seconds + max(seconds, 0.0)
        if moment <= self._until and (not self._moments or moment < self._moments[0][0]):
            self.seconds = moment  # nobody else is due before
            return
        self._push(moment, thread)
        if not self._hand_over(thread):
            thread.baton.acquire()
        if self.over:
            raise _EndOfTimeError

    def run(self, until: float) -> None:
        """Let time pass up to this moment. What goes wrong in a thread goes wrong here."""
        self._until = until
        if not self._hand_over(None):
            self._baton.acquire()
        if self._failure is not None:
            raise self._failure
        self.seconds = max(self.seconds, until)

    def close(self) -> None:
        """End all threads, wherever they wait."""
        self.over = True
        for thread in self._all:
            thread.end()

    def goes_on_in(self, thread: _Thread) -> bool:
        """A thread has nothing left to do; whether it is the one to do what is due next."""
        self._idle.append(thread)
        return self._hand_over(thread)

    def failed(self, error: BaseException) -> None:
        """A thread came to grief."""
        self._failure = self._failure or error

    def _push(self, moment: float, what: "_Thread | Callable[[], object]") -> None:
        heappush(self._moments, (moment, next(self._numbers), what))

    def _hand_over(self, me: _Thread | None) -> bool:
        """Let whoever is due next go on, or the test when nobody is; True: that is the one who calls."""
        chosen = self._next()
        if chosen is me:
            return True
        self._running = chosen
        (self._baton if chosen is None else chosen.baton).release()
        return False

    def _next(self) -> _Thread | None:
        if self._failure is not None or not self._moments or self._moments[0][0] > self._until:
            return None
        self.seconds, _, what = heappop(self._moments)
        if isinstance(what, _Thread):
            return what
        if not self._idle:
            self._all.append(_Thread(self))
        thread = self._idle.pop() if self._idle else self._all[-1]
        thread.work = what
        return thread
