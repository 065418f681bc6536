"""Kafka as the engine needs it: fenced producers, positions, a changelog to read; real ones and fakes both fit."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from schemas.transport.records import TopicPartition

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of a changelog partition in order (a value of None is a tombstone), and the offset to read from next."""

    rows: Sequence[tuple[bytes | None, bytes | None]]
    next_offset: int


class Producer(Protocol):
    """A transactional producer that shuts out its predecessor; raises the errors of `schemas.transport.errors`."""

    def open(self) -> None:
        """Take over: abort what the predecessor left open and fence it."""
        ...

    def begin(self) -> None:
        """Begin a transaction."""
        ...

    def produce(self, topic: str, key: bytes | None, value: bytes | None, partition: int) -> None:
        """Add a record to the transaction."""
        ...

    def send_offsets(self, positions: Mapping[TopicPartition, int]) -> None:
        """Add the next input positions to the transaction."""
        ...

    def commit(self) -> None:
        """Make it all visible; after CommitUnknown call again."""
        ...

    def abort(self) -> None:
        """Undo the transaction."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Log(Protocol):
    """Where records live. All calls block; the engine makes them on its executor."""

    def producer(self, partition: int) -> Producer:
        """Give the producer that owns a co-partition, not yet opened."""
        ...

    def committed(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int | None]:
        """Tell the group's positions once no transaction is pending on them."""
        ...

    def beginning_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the first offsets that still exist."""
        ...

    def end_offsets(self, tps: Iterable[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Tell the high watermarks."""
        ...

    def read_to_end(self, tp: TopicPartition, from_offset: int) -> Iterator[Stretch]:
        """Read committed rows up to the end as it is now."""
        ...


class Executor(Protocol):
    """Runs blocking calls off the event loop."""

    def run(
        self, call: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Awaitable[Result]:
        """Make the call elsewhere; the result can be awaited."""
        ...


class Clock(Protocol):
    """The wall clock of a process; only metrics, store age and back-off may look at it, never the fold (I8)."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        ...

    async def pause(self, duration_ms: int) -> None:
        """Let others run for a while."""
        ...
