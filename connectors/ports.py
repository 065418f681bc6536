"""What the connectors need of the world; each port has a twin in `connectors.memory` that passes the same suite."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from connectors.fences import FenceTable
from connectors.ledger import Ledger
from connectors.orders import Cycle, DeliveryClass, Order, Report
from schemas.outputs import SendTouch
from schemas.transport.records import TopicPartition
from schemas.vocabulary import ReceiptReason

M = TypeVar("M")  # a message as its provider makes it; opaque to the loop


class Withheld(Exception):
    """The last look before the write said no: nothing was written, the provider certainly did not accept."""

    def __init__(self, reason: ReceiptReason, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason.value} {detail}".rstrip())


class Unsendable(Exception):
    """This touch cannot be turned into a message; the report says why."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(f"{report.reason.value} {report.detail}".rstrip())


class Gate(Protocol):
    """The last look before the write."""

    def check(self) -> None:
        """Return only if the call may be made now; raises Withheld otherwise."""


class Provider(Protocol[M]):
    """One channel's provider: the loop lets it prepare a message of its own kind, writes the intent, then calls."""

    @property
    def name(self) -> str:
        """The provider's name in receipts."""

    @property
    def delivery_class(self) -> DeliveryClass:
        """What is done about an intent without a result."""

    def prepare(self, command: SendTouch, contact: Mapping[str, str]) -> M:
        """Build and check the message; raises Unsendable."""

    async def call(self, message: M, gate: Gate) -> Report:
        """Hand it over; `gate.check()` stands right before the write, and what it raises is passed on."""

    async def find(self, command: SendTouch) -> Report | None:
        """What became of an earlier call (class queryable only); None when the provider never saw it."""

    async def close(self) -> None:
        """Let connections go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A partition that has become ours: where to go on, and its ledger and fences read to their ends."""

    partition: int
    position: int
    ledger: Ledger
    fences: FenceTable


class Partitions(Protocol):
    """Who wants to hear about partitions coming and going; called from the thread that polls, one at a time."""

    def opened(self, opening: Opening) -> None:
        """A partition is ours from here."""

    def closing(self, partitions: Iterable[int]) -> Cycle:
        """Partitions are being given away: finish what runs and say what is to be written for it."""

    def lost(self, partitions: Iterable[int]) -> None:
        """Partitions were taken from us; nothing more can be written for them."""


class CommandLog(Protocol):
    """A channel's side of Kafka: fetches commands, writes cycles as transactions."""

    def open(self, partitions: Partitions) -> None:
        """Join the group and fence the producer."""

    def poll(self, within_ms: int) -> list[Order]:
        """Fetch orders; partitions come and go only inside this call."""

    def commit(self, cycle: Cycle) -> None:
        """Write a cycle in one transaction; returns only when it is known to stand."""

    def pause(self, partitions: Iterable[int]) -> None:
        """Fetch nothing more of these for now."""

    def resume(self, partitions: Iterable[int]) -> None:
        """Fetch these again."""

    def close(self) -> None:
        """Leave the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """A customer's encrypted contact with the wrapped data key it needs."""

    customer_id: str
    version: int
    key_id: str
    fields: Mapping[str, bytes]
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPut:
    """A new contact of a customer; an older version than the stored one changes nothing."""

    customer_id: str
    version: int
    key_id: str
    fields: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPut:
    """A data key of a customer."""

    customer_id: str
    key_id: str
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased:
    """The contact of a customer is gone for good: whatever comes later is ignored (S09)."""

    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysErased:
    """The data keys of a customer are gone for good: what they encrypted cannot be read any more."""

    customer_id: str


ContactChange = ContactPut | KeyPut | ContactErased | KeysErased


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a store answered: rows of those it has, how far it has read its topics, and whether it is being rebuilt."""

    rows: Mapping[str, ContactRow]
    positions: Mapping[TopicPartition, int]
    is_building: bool


class StoreAway(Exception):
    """The contact store does not answer."""


class ContactStore(Protocol):
    """The projection of the contact topics; may be flushed at any time, and says so by its positions."""

    async def positions(self) -> Mapping[TopicPartition, int]:
        """How far the store has read each topic partition; empty when it holds nothing. Raises StoreAway."""

    async def begin_building(self, positions: Mapping[TopicPartition, int]) -> None:
        """Drop everything and start over from these positions; rows are not to be believed until `end_building`."""

    async def end_building(self) -> None:
        """The rebuild has reached the end that the topics had when it began."""

    async def apply(
        self,
        changes: Sequence[ContactChange],
        *,
        before: Mapping[TopicPartition, int],
        after: Mapping[TopicPartition, int],
    ) -> bool:
        """Apply changes and positions in one step, but only onto the positions `before`; False when others stand."""

    async def look_up(self, customer_ids: Sequence[str]) -> Looked:
        """One pipelined call for all of them. Raises StoreAway."""


EndOffsets = Callable[[Sequence[TopicPartition]], Mapping[TopicPartition, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The outcome of a contact lookup; `is_known` False means that nothing can be said now."""

    is_known: bool
    fields: Mapping[str, str] | None = None


class Contacts(Protocol):
    """Reads clear contacts right before the call."""

    async def look_up(self, customer_ids: Sequence[str]) -> Mapping[str, Found]:
        """An answer for each; never raises for an absent store."""

    def forget(self, customer_id: str) -> None:
        """Drop what a cache holds of an erased customer."""
