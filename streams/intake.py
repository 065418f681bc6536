"""What stream frame and engine have to tell each other: labelled slices one way, assignments and seeks the other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.transport.records import TopicPartition


class Fetched(Protocol):
    """One record as a client delivers it."""

    @property
    def offset(self) -> int:
        """Where it lies."""
        ...

    @property
    def key(self) -> bytes | None:
        """Its key, if any."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its bytes; None is a tombstone."""
        ...

    @property
    def timestamp(self) -> int:
        """The broker's append time, ms."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """What one fetch brought of one input: offsets `start` up to `next` (without it), labelled where it was fetched.

    Records may be none: markers of transactions take offsets and move `next`. `epoch` grows with every seek, so a slice
    fetched before the last seek can be told.
    """

    tp: TopicPartition
    start: int
    next: int
    records: Sequence[Fetched]
    epoch: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one poll brings for one co-partition; its slices are of different inputs."""

    partition: int
    slices: tuple[Slice, ...]


class Intake(Protocol):
    """The frame as the engine sees it."""

    async def seek(self, offsets: Mapping[TopicPartition, int]) -> int:
        """Go on reading at these offsets and give the epoch of all slices fetched from then on."""
        ...


class Owner(Protocol):
    """The engine as the frame sees it; all but `has_room` and `fail` are called on the event loop."""

    def has_room(self, partition: int) -> bool:
        """Tell whether more may be fetched for a partition."""
        ...

    def submit(self, batch: Batch) -> None:
        """Take a batch."""
        ...

    def reassigned(self, wanted: Collection[int]) -> None:
        """Hear of an assignment, before anything is taken."""
        ...

    async def quiesce(self) -> None:
        """Bring running commits to their end before partitions move."""
        ...

    async def take(self, wanted: Collection[int]) -> None:
        """Own exactly these co-partitions."""
        ...

    def starts(self) -> Mapping[TopicPartition, int]:
        """Tell where every input of what is owned must be read from."""
        ...

    def resume(self, epoch: int) -> None:
        """Accept slices of this epoch and later."""
        ...

    def fail(self, error: BaseException) -> None:
        """End the worker for this cause."""
        ...
