"""What a run looks like while it runs: the day, what was sent and what was not, ticks a second, the kill."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.queries.decisions import Group as TouchGroup
from connectors.queries.decisions import outcomes
from deploy.demo.plan import DAY_MS, WorldPlan
from schemas.codec import Codec
from schemas.outputs import DecisionMade
from schemas.topics import DECISION
from schemas.transport.reader import PartitionReader
from schemas.transport.records import Position
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Verdict

_SHOWN = (Verdict.SENT, Verdict.SUPPRESSED, Verdict.SKIPPED, Verdict.EXPIRED, Verdict.DEAD_LETTERED, Verdict.HELD)
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

    def counts(self) -> Mapping[Verdict, int]:
        """How many touches stand at each verdict now."""
        return Counter(one.verdict for one in list(self._latest.values()))

    def _watch(self) -> None:
        with PartitionReader(self._settings) as reader:
            reader.assign(Position(DECISION, partition, 0) for partition in range(self._partitions))
            while not self._done.is_set():
                records = reader.poll(within_ms=_LOOK_MS)
                self._latest |= outcomes(self._decode(record.value) for record in records)


class Screen:
    """The live picture of a run on the terminal; plain lines where there is none."""

    def __init__(self, plan: WorldPlan, watcher: Watcher, console: Console) -> None:
        """Take what is shown."""
        self._plan, self._watcher, self._console = plan, watcher, console
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("days"), TimeElapsedColumn()
        )
        self._task = self._bar.add_task("before the first day", total=plan.days)
        self._ticks, self._started_at = 0, time.monotonic()
        self._notes: list[str] = []
        self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=_FRAMES_A_SECOND)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._live.__enter__()
        self._started_at = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last picture on the screen."""
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
        self._ticks += 1
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        days = min(self._plan.days, (now_ms - self._plan.start_ms) // DAY_MS)
        self._bar.update(self._task, completed=days, description=f"{now:%a %d %b %Y %H:%M} UTC")

    def note(self, what: str) -> None:
        """Something happened that a spectator should read."""
        self._notes.append(what)

    def _picture(self) -> Group:
        table, counts = Table.grid(padding=(0, 2)), self._watcher.counts()
        table.add_row(
            *(f"[dim]{verdict.value.replace('_', ' ')}[/dim] {counts.get(verdict, 0):,}" for verdict in _SHOWN)
        )
        pace = f"[dim]{self._ticks:,} ticks, {self._ticks / max(self.seconds, 0.001):.0f} a second[/dim]"
        return Group(self._bar, table, pace, *self._notes)
