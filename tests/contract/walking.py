"""Plays an adapter's walks on its examples, call by call."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from rms.aggregators.contract import Account, Aggregator, Ask, Brought, Job
from rms.platform.http import HttpAnswer, NoAnswer
from tests.contract.adapters import NOW, Adapter, Meaning, Step, Walk
from tests.contract.partners import ADAPTERS, examples

every_walk = examples(lambda partner: partner.walks)
every_step = examples(
    lambda partner: [(name, step) for name, walk in partner.walks.items() for step in range(len(walk.steps))],
    lambda case: f"{case[0]}/{case[1]}",
)


def account_of(partner: Adapter, walk: Walk) -> Account:
    """The account that a walk is made with."""
    return replace(partner.account, options={**partner.account.options, **walk.options})


class Walker:
    """Plays a walk on its examples, one step at a time."""

    def __init__(self, partner: Adapter, walk: Walk) -> None:
        self.adapter: Aggregator = partner.adapter
        self.partner, self.walk = partner, walk
        self.account = account_of(partner, walk)
        self.job = replace(partner.job(walk.order), goal=walk.goal, known=walk.known)
        self.progress = self.job.known
        self.searching = walk.searching
        self.asked: list[Ask] = []

    def next(self) -> object:
        """What the adapter says comes next."""
        ask = self.adapter.find if self.searching else self.adapter.book
        return ask(self.account, self.job, self.progress, NOW)

    def ask(self) -> Ask:
        """The next call, which there must be."""
        following = self.next()
        assert isinstance(following, Ask), following
        self.asked.append(following)
        return following

    def read(self, ask: Ask, answer: HttpAnswer | NoAnswer) -> object:
        """What an answer means; goes on when it brought something."""
        result = self.adapter.read(self.job, ask, answer, self.progress)
        if isinstance(result, Brought):
            self.progress = result.progress
            self.searching = self.searching and not self.adapter.found(self.progress)
        return result

    def to(self, step: int) -> Ask:
        """The call of this step, all before it answered by their examples."""
        for before in self.walk.steps[:step]:
            result = self.read(self.ask(), self.partner.answer(before.answer, before.status))
            assert isinstance(result, Brought), result
        return self.ask()

    def to_the_end(self) -> object:
        """What comes of the whole walk."""
        last = self.walk.steps[-1]
        result = self.read(self.to(len(self.walk.steps) - 1), self.partner.answer(last.answer, last.status))
        return self.next() if isinstance(result, Brought) else result


def walker(partner: Adapter, name: str) -> Walker:
    """One at the beginning of a walk."""
    return Walker(partner, partner.walks[name])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands when the answer to one of its calls comes in. Reading one changes nothing here."""

    partner: Adapter
    step: Step
    account: Account
    job: Job
    ask: Ask
    progress: Mapping[str, str]
    searching: bool

    @property
    def door(self) -> Mapping[int, Meaning]:
        """HTTP statuses that mean something by themselves here."""
        return self.partner.search_door if self.searching else self.partner.door

    def read(self, answer: HttpAnswer | NoAnswer) -> object:
        """What an answer means here."""
        return self.partner.adapter.read(self.job, self.ask, answer, self.progress)

    def follows(self, result: object) -> object:
        """The next call, or what came of the walk, after this answer was read; the result itself where it ends."""
        if not isinstance(result, Brought):
            return result
        adapter = self.partner.adapter
        ask = adapter.find if self.searching and not adapter.found(result.progress) else adapter.book
        return ask(self.account, self.job, result.progress, NOW)


def place(partner: Adapter, name: str, step: int) -> Place:
    """Where a walk stands at one of its steps, all before it answered by their examples. Played once."""
    return _place(partner.folder, name, step)


@cache
def _place(folder: str, name: str, step: int) -> Place:
    partner = next(each for each in ADAPTERS if each.folder == folder)
    playing = walker(partner, name)
    ask = playing.to(step)
    return Place(
        partner, playing.walk.steps[step], playing.account, playing.job, ask, playing.progress, playing.searching
    )
