"""The one who does harm while a run goes on: kills a worker with kill -9 at an instant, and keeps the proof."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from deploy.demo.bundle import Harm
from deploy.demo.system import System
from deploy.settings import now_ms

INTO_THE_NEXT_TICK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A kill that has been struck: when in domain time, when on the wall, and how it ended the process."""

    target: str
    domain_ms: int
    struck_ms: int
    status: int


class Nemesis:
    """Strikes once, at the first tick at or after `at_ms`, and starts the victim again at once."""

    def __init__(self, system: System, worker: int, at_ms: int, tell: Callable[[str], None]) -> None:
        """Choose the victim."""
        self._system, self._worker, self._at_ms, self._tell = system, worker, at_ms, tell
        self.blow: Blow | None = None
        self.healed_ms = 0
        self._is_raised = False

    def ticked(self, tick_ms: int) -> None:
        """Strike if it is time; the first tick after the blow shows that every partition is served again."""
        if not self._is_raised and tick_ms >= self._at_ms:
            self._is_raised = True
            threading.Timer(INTO_THE_NEXT_TICK_S, self._strike, [tick_ms]).start()
        elif self.blow is not None and not self.healed_ms:
            self.healed_ms = now_ms()
            self._tell(
                f"[green]every partition is served again after {self.away_s:.1f} s[/green]; "
                "the balance at the end tells whether anything was lost"
            )

    @property
    def away_s(self) -> float:
        """How long the run stood still, wall time."""
        return (self.healed_ms - self.blow.struck_ms) / 1000 if self.blow else 0.0

    @property
    def harms(self) -> tuple[Harm, ...]:
        """The nemesis log of the bundle."""
        if self.blow is None:
            return ()
        proof = f"exit status {self.blow.status}"
        return (
            Harm(
                from_ms=self.blow.struck_ms,
                to_ms=self.healed_ms or now_ms(),
                kind="kill",
                target=self.blow.target,
                proof=proof,
            ),
        )

    def _strike(self, tick_ms: int) -> None:
        name = f"worker-{self._worker}"
        victim, struck_ms = self._system.fleet.members[name], now_ms()
        victim.kill()
        status = victim.end()
        self._system.start_worker(self._worker)
        self.blow = Blow(target=name, domain_ms=tick_ms, struck_ms=struck_ms, status=status)
        self._tell(f"[bold red]{name} killed with kill -9 in the middle of a tick; the other one takes over[/bold red]")
