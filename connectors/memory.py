"""The twins of the ports, in memory: they pass the suites of the real ones, and tests of the loop need nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.fences import FenceTable
from connectors.ledger import Ledger
from connectors.orders import Cycle, DeliveryClass, Order, Report, order_of
from connectors.ports import (
    ContactChange,
    ContactErased,
    ContactPut,
    ContactRow,
    Found,
    Gate,
    KeyPut,
    KeysErased,
    Looked,
    Opening,
    Partitions,
    StoreAway,
)
from schemas.events import ReceiptGiven
from schemas.outputs import LedgerRow, SendTouch
from schemas.transport.records import TopicPartition
from schemas.vocabulary import Outcome, ReceiptReason


@dataclass
class MemoryTopics:
    """What outlives a process: commands, ledgers, receipts and positions of a channel, by partition."""

    partitions: int
    commands: dict[int, list[SendTouch]] = field(default_factory=dict)
    ledgers: dict[int, list[tuple[str, LedgerRow | None]]] = field(default_factory=dict)
    receipts: list[ReceiptGiven] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    fences: dict[int, FenceTable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in range(self.partitions):
            self.commands.setdefault(number, [])
            self.ledgers.setdefault(number, [])
            self.fences.setdefault(number, FenceTable())


class MemoryLog:
    """One process's view of the topics; a commit is all or nothing."""

    def __init__(self, topics: MemoryTopics) -> None:
        self._topics = topics
        self._read_to: dict[int, int] = {}
        self._paused: set[int] = set()
        self._partitions: Partitions | None = None
        self._is_open = False

    def open(self, partitions: Partitions) -> None:
        """Join; partitions come with the first poll."""
        self._partitions = partitions

    def poll(self, within_ms: int) -> list[Order]:
        """Everything that has not been read yet."""
        del within_ms
        if not self._is_open and self._partitions is not None:
            self._is_open = True
            for number in range(self._topics.partitions):
                self._open(number, self._partitions)
        orders: list[Order] = []
        for number in self._read_to.keys() - self._paused:
            commands = self._topics.commands[number]
            start, self._read_to[number] = self._read_to[number], len(commands)
            orders.extend(
                order_of(commands[offset], partition=number, offset=offset, appended_at_ms=0)
                for offset in range(start, len(commands))
            )
        return orders

    def commit(self, cycle: Cycle) -> None:
        """Write a cycle."""
        for number, row in (*cycle.results, *cycle.intents):
            self._topics.ledgers[number].append((row.touch_key, row))
        for number, touch_key in cycle.forgotten:
            self._topics.ledgers[number].append((touch_key, None))
        self._topics.receipts.extend(receipt for _, receipt in cycle.receipts)
        self._topics.positions.update(cycle.positions)

    def pause(self, partitions: Iterable[int]) -> None:
        """Fetch nothing more of these for now."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[int]) -> None:
        """Fetch these again."""
        self._paused.difference_update(partitions)

    def close(self) -> None:
        """Leave in good order."""
        if self._partitions is not None and self._is_open:
            cycle = self._partitions.closing(range(self._topics.partitions))
            if not cycle.is_empty:
                self.commit(cycle)

    def _open(self, number: int, partitions: Partitions) -> None:
        ledger = Ledger()
        for touch_key, row in self._topics.ledgers[number]:
            ledger.apply(touch_key, row)
        position = self._topics.positions.get(number, 0)
        self._read_to[number] = position
        fences = self._topics.fences[number]
        partitions.opened(Opening(partition=number, position=position, ledger=ledger, fences=fences))


class MemoryContacts:
    """Contacts that are simply there."""

    def __init__(self, fields: Mapping[str, Mapping[str, str]]) -> None:
        self.fields = dict(fields)
        self.is_away = False

    async def look_up(self, customer_ids: Sequence[str]) -> Mapping[str, Found]:
        """Known unless told to be away."""
        return {
            customer_id: Found(is_known=not self.is_away, fields=self.fields.get(customer_id))
            for customer_id in customer_ids
        }

    def forget(self, customer_id: str) -> None:
        """Drop a customer."""
        self.fields.pop(customer_id, None)


class MemoryProvider:
    """A provider that keeps what it accepted; answers come from a list, accepted when that is empty."""

    name = "memory"

    def __init__(self, delivery_class: DeliveryClass = DeliveryClass.AT_LEAST_ONCE) -> None:
        self.delivery_class = delivery_class
        self.answers: list[Report] = []
        self.accepted: list[str] = []
        self.called: list[str] = []
        self.asked: list[str] = []

    def prepare(self, command: SendTouch, contact: Mapping[str, str]) -> SendTouch:
        """The command is the message."""
        del contact
        return command

    async def call(self, message: SendTouch, gate: Gate) -> Report:
        """Look once more, then accept or answer as told."""
        gate.check()
        self.called.append(message.touch_key)
        if self.answers:
            return self.answers.pop(0)
        if self.delivery_class is not DeliveryClass.KEYED or message.touch_key not in self.accepted:
            self.accepted.append(message.touch_key)
        return Report(outcome=Outcome.ACCEPTED, reason=ReceiptReason.ACCEPTED)

    async def find(self, command: SendTouch) -> Report | None:
        """Whether it was accepted."""
        self.asked.append(command.touch_key)
        if command.touch_key in self.accepted:
            return Report(outcome=Outcome.ACCEPTED, reason=ReceiptReason.ACCEPTED)
        return None

    async def close(self) -> None:
        """Nothing to let go."""


class MemoryContactStore:
    """A contact store in a dictionary."""

    def __init__(self) -> None:
        self.is_away = False
        self.flush()

    def flush(self) -> None:
        """Lose everything, as Redis may."""
        self._contacts: dict[str, ContactPut] = {}
        self._keys: dict[str, dict[str, bytes]] = {}
        self._without_contact: set[str] = set()
        self._without_keys: set[str] = set()
        self._positions: dict[TopicPartition, int] = {}
        self._is_building = False

    async def positions(self) -> Mapping[TopicPartition, int]:
        """How far the store has read."""
        self._check()
        return dict(self._positions)

    async def begin_building(self, positions: Mapping[TopicPartition, int]) -> None:
        """Start over."""
        self._check()
        self.flush()
        self._positions, self._is_building = dict(positions), True

    async def end_building(self) -> None:
        """Rows may be believed."""
        self._check()
        self._is_building = False

    async def apply(
        self,
        changes: Sequence[ContactChange],
        *,
        before: Mapping[TopicPartition, int],
        after: Mapping[TopicPartition, int],
    ) -> bool:
        """Apply changes onto known positions."""
        self._check()
        if any(self._positions.get(tp) != at for tp, at in before.items()):
            return False
        for change in changes:
            self._apply(change)
        self._positions.update(after)
        return True

    async def look_up(self, customer_ids: Sequence[str]) -> Looked:
        """Rows with the keys they need."""
        self._check()
        rows = {one: self._row(self._contacts[one]) for one in customer_ids if one in self._contacts}
        return Looked(rows=rows, positions=dict(self._positions), is_building=self._is_building)

    def _apply(self, change: ContactChange) -> None:
        match change:
            case ContactPut():
                known = self._contacts.get(change.customer_id)
                is_older = known is not None and known.version > change.version
                if not is_older and change.customer_id not in self._without_contact:
                    self._contacts[change.customer_id] = change
            case KeyPut():
                if change.customer_id not in self._without_keys:
                    self._keys.setdefault(change.customer_id, {})[change.key_id] = change.wrapped_key
            case ContactErased():
                self._contacts.pop(change.customer_id, None)
                self._without_contact.add(change.customer_id)
            case KeysErased():
                self._keys.pop(change.customer_id, None)
                self._without_keys.add(change.customer_id)

    def _row(self, put: ContactPut) -> ContactRow:
        return ContactRow(
            customer_id=put.customer_id,
            version=put.version,
            key_id=put.key_id,
            fields=put.fields,
            wrapped_key=self._keys.get(put.customer_id, {}).get(put.key_id, b""),
        )

    def _check(self) -> None:
        if self.is_away:
            raise StoreAway("told to be away")
