"""What a run looks like while it runs: the day, what was sent and what was not, ticks a second, the kill."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.queries.decisions import Group as TouchGroup
from connectors.queries.decisions import outcomes
from deploy.demo.account import OUTCOMES, PENDING, SENT, SUPPRESSED, settled_by
from deploy.demo.plan import DAY_MS, WorldPlan
from schemas.codec import Codec
from schemas.outputs import DecisionMade
from schemas.topics import DECISION
from schemas.transport.reader import PartitionReader
from schemas.transport.records import Position
from schemas.transport.settings import KafkaSettings

Counts = Callable[[int], Mapping[str, int]]

_ALWAYS_TOLD = (SENT, SUPPRESSED)
_DAYS_A_LINE, _FEWEST_LINES = 10, 5
_LOOK_MS = 500
_FRAMES_A_SECOND = 4


class Watcher:
    """Reads decisions beside the run, in a thread of its own, and counts the latest on each touch."""

    def __init__(self, settings: KafkaSettings, codec: Codec, partitions: int) -> None:
        """Describe what to read."""
        self._settings, self._partitions = settings, partitions
        self._decode = codec.decoder(DecisionMade)
        self._latest: dict[TouchGroup, DecisionMade] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watcher")

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        self._done.set()
        self._thread.join()

    def counts(self, now_ms: int) -> Mapping[str, int]:
        """How many of the touches due by an instant stand at each outcome, in the words of the account."""
        due = (one for one in list(self._latest.values()) if one.opens_at_ms <= now_ms)
        return Counter(settled_by(one) or PENDING for one in due)

    def _watch(self) -> None:
        with PartitionReader(self._settings) as reader:
            reader.assign(Position(DECISION, partition, 0) for partition in range(self._partitions))
            while not self._done.is_set():
                records = reader.poll(within_ms=_LOOK_MS)
                self._latest |= outcomes(self._decode(record.value) for record in records)


class Screen:
    """What a run shows while it goes on: a live picture on a terminal, plain lines where there is none."""

    def __init__(self, plan: WorldPlan, counts: Counts, console: Console) -> None:
        """Take what is shown; `counts` tells how many touches due by an instant stand at each outcome."""
        self._plan, self._counts, self._console = plan, counts, console
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn()
        )
        self._task = self._bar.add_task("before the first day", total=plan.days)
        self._ticks, self._now_ms, self._started_at = 0, plan.start_ms, time.monotonic()
        self._line_every = max(1, min(_DAYS_A_LINE, plan.days // _FEWEST_LINES))
        self._next_line_on = self._line_every
        self._notes: list[str] = []
        self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=_FRAMES_A_SECOND)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._console.is_terminal:
            self._live.__enter__()
        self._started_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture on the screen."""
        if self._console.is_terminal:
            self._live.__exit__(kind, error, trace)

    @property
    def ticks(self) -> int:
        """Ticks so far."""
        return self._ticks

    @property
    def seconds(self) -> float:
        """Wall time since the first tick."""
        return time.monotonic() - self._started_at

    def ticked(self, now_ms: int) -> None:
        """A tick has left."""
        self._ticks, self._now_ms = self._ticks + 1, now_ms
        days = min(self._plan.days, (now_ms - self._plan.start_ms) // DAY_MS)
        self._bar.update(self._task, completed=days, description=f"{self._now():%a %d %b %Y %H:%M} UTC")
        if not self._console.is_terminal and days >= self._next_line_on:
            self._next_line_on = days + self._line_every
            self._console.print(self._line(days), soft_wrap=True, highlight=False)

    def note(self, what: str) -> None:
        """Something happened that a spectator should read."""
        if self._console.is_terminal:
            self._notes.append(what)
        else:
            self._console.print(what, soft_wrap=True, highlight=False)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._now_ms / 1000, UTC)

    def _pace(self) -> str:
        return f"{self._ticks:,} ticks, {self._ticks / max(self.seconds, 0.001):.0f} a second"

    def _line(self, days: int) -> str:
        counts = self._counts(self._now_ms)
        told = (
            f"{name.replace('_', ' ')} {counts.get(name, 0):,}"
            for name in OUTCOMES
            if counts.get(name) or name in _ALWAYS_TOLD
        )
        return f"day {days} of {self._plan.days}, {self._now():%a %d %b %Y}: {', '.join(told)}; {self._pace()}"

    def _picture(self) -> Group:
        table, counts = Table.grid(padding=(0, 2)), self._counts(self._now_ms)
        table.add_row(*(f"[dim]{name.replace('_', ' ')}[/dim] {counts.get(name, 0):,}" for name in OUTCOMES))
        return Group(self._bar, table, f"[dim]{self._pace()}[/dim]", *self._notes)
