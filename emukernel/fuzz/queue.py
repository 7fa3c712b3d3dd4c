"""The inputs that a job has, and which one is mutated next."""

from __future__ import annotations

from random import Random

#: Mutations of an input at one turn, before its bonuses.
BASE_ENERGY = 96
_RECENT = 16


class Item:
    """An input that reached something new.

    `name` is that of its file, `depth` how many mutations lie between it and a seed, `news` how
    much was new, `rounds` how often it was mutated for a turn; `fresh` until it has been compared
    (`compare.solutions`).
    """

    __slots__ = ("data", "depth", "fresh", "name", "news", "rounds", "verdict")

    def __init__(self, name: str, data: bytes, depth: int, news: int, verdict: str) -> None:
        self.name = name
        self.data = data
        self.depth = depth
        self.news = news
        self.rounds = 0
        self.fresh = True
        self.verdict = verdict

    @property
    def number(self) -> str:
        """Its number in its file's name."""
        return self.name[3:9]


class Queue:
    """All items of one job."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.items: list[Item] = []
        self._known: set[bytes] = set()
        self.turns = 0

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, data: bytes) -> bool:
        return data in self._known

    def add(self, item: Item) -> None:
        """Adds an item."""
        self.items.append(item)
        self._known.add(item.data)

    @property
    def pending(self) -> int:
        """How many have not had a turn."""
        return sum(not item.rounds for item in self.items)

    @property
    def cycles(self) -> int:
        """How often every item has had a turn."""
        return min((item.rounds for item in self.items), default=0)

    @property
    def max_depth(self) -> int:
        """The greatest depth."""
        return max((item.depth for item in self.items), default=0)

    def choose(self) -> Item:
        """The next to be mutated: mostly one that had few turns, of a handful drawn at random,
        half of them from the newest."""
        random, items = self._random, self.items
        self.turns += 1
        best = items[-1]
        for at in range(5):
            pool = items[-_RECENT:] if at & 1 else items
            item = pool[int(random.random() * len(pool))]
            if _merit(item) > _merit(best):
                best = item
        best.rounds += 1
        return best

    def other(self, item: Item) -> bytes | None:
        """Another item's input to splice with, now and then."""
        if len(self.items) < 2 or self._random.random() > 0.15:
            return None
        other = self.items[int(self._random.random() * len(self.items))]
        return None if other is item else other.data

    def energy(self, item: Item) -> int:
        """How many mutations the item gets at this turn."""
        energy = BASE_ENERGY
        if item.rounds == 1:
            energy *= 2
        if len(item.data) > 1024:
            energy //= 2
        if item.verdict != "ok":
            energy //= 4
        return energy


def _merit(item: Item) -> float:
    bonus = 1 + min(item.news, 16) / 4 + min(item.depth, 32) / 8
    if item.verdict != "ok":
        bonus /= 4
    return bonus / (1 + item.rounds)
