"""Kills, terms and pauses of two workers under a steady load; passes when nothing is lost, doubled or reordered."""

import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from tests.chaos.counting_load import Load, Place, Publisher, Verdict, counted, verdict
from tests.chaos.fleet import Fleet

PAUSE_S = 9.0  # past the session timeout of 6 s, so that the paused worker wakes as a zombie
SETTLE_S = 120.0
CHUNK_EVENTS = 250


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a run did and what came of it."""

    seconds: float = 0.0
    kills: int = 0
    terms: int = 0
    pauses: int = 0
    unexpected_exits: list[tuple[str, int]] = field(default_factory=list)
    verdict: Verdict | None = None
    seed: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether the run passes."""
        return self.verdict is not None and self.verdict.is_clean and not self.unexpected_exits

    def as_json(self) -> dict[str, object]:
        """Give the figures under the names that scripts judge."""
        judged = asdict(self.verdict) if self.verdict else {}
        return {
            "seconds": round(self.seconds, 1),
            "kills": self.kills,
            "terms": self.terms,
            "pauses": self.pauses,
            **judged,
            "unexpected_exits": len(self.unexpected_exits),
            "seed": self.seed,
        }


@dataclass(slots=True, kw_only=True)
class Nemesis:
    """Harms a fleet while it works."""

    place: Place
    fleet: Fleet
    seed: int
    events_per_s: int = 2_000
    say: Callable[[str], None] = print
    names: tuple[str, ...] = ("worker-1", "worker-2")

    def run(self, seconds: float) -> Figures:
        """Harm for a while, then let everything settle and judge."""
        draw, figures = random.Random(self.seed), Figures(seed=self.seed)
        load, publisher = Load(self.seed, 3_000), Publisher(self.place)
        began = time.monotonic()
        for name in self.names:
            self.fleet.start(name)
        next_fault_s = 6.0
        while (at_s := time.monotonic() - began) < seconds:
            publisher.publish(load, CHUNK_EVENTS)
            self.fleet.restart_ended()
            if at_s >= next_fault_s:
                self._harm(draw, figures, load, publisher)
                next_fault_s = time.monotonic() - began + draw.uniform(1.0, 8.0)
            self._keep_rate(began, sum(load.sent.values()))
        self._settle(load)
        figures.seconds = time.monotonic() - began
        figures.verdict = verdict(self.place, load)
        self.fleet.stop()
        figures.unexpected_exits = self.fleet.unexpected_exits
        return figures

    def _harm(self, draw: random.Random, figures: Figures, load: Load, publisher: Publisher) -> None:
        fault = draw.choices(("kill", "kill both", "term", "pause"), (6, 1, 2, 1))[0]
        name = draw.choice(self.names)
        self.say(f"{fault} {name} after {sum(load.sent.values())} events")
        match fault:
            case "kill":
                self._kill(figures, name)
            case "kill both":
                for one in self.names:
                    self._kill(figures, one)
            case "term":
                figures.terms += 1
                self.fleet.terminate(name)
                self.fleet.start(name)
            case _:
                figures.pauses += 1
                self._pause(name, load, publisher)

    def _kill(self, figures: Figures, name: str) -> None:
        figures.kills += 1
        self.fleet.kill(name)
        self.fleet.start(name)

    def _pause(self, name: str, load: Load, publisher: Publisher) -> None:
        """Stop a worker past its session, the load going on, then wake it as a zombie."""
        self.fleet.pause(name)
        until = time.monotonic() + PAUSE_S
        while time.monotonic() < until:
            publisher.publish(load, CHUNK_EVENTS)
            time.sleep(CHUNK_EVENTS / self.events_per_s)
        self.fleet.wake(name)

    def _keep_rate(self, began: float, sent: int) -> None:
        ahead_s = sent / self.events_per_s - (time.monotonic() - began)
        time.sleep(max(0.0, min(1.0, ahead_s)))

    def _settle(self, load: Load) -> None:
        """Wait until all events are counted; a verdict is due in any case."""
        until, expected = time.monotonic() + SETTLE_S, sum(load.sent.values())
        while time.monotonic() < until and counted(self.place) < expected:
            self.fleet.restart_ended()
            time.sleep(1.0)
