"""One run, indexed once: what had to happen, what the providers saw, and what the system claims."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import msgspec

from schemas import topics
from schemas.events import CustomerChanged, ReceiptGiven
from schemas.identity import touch_parts
from schemas.outputs import DecisionMade, FenceRaised, SendTouch
from schemas.vocabulary import Channel, FenceKind
from tests.oracle.bundle import Bundle, Contact, InboxRow, Logged
from tests.oracle.expectation import Expectation, TouchId
from tests.oracle.expected import expected
from tests.oracle.inputs import Inputs, inputs_of, policies_of
from tests.oracle.timeline import NEVER_MS

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R", bound=msgspec.Struct)


class Decided(NamedTuple):
    """A decision as it stands in its topic."""

    appended_at_ms: int
    partition: int
    offset: int
    decision: DecisionMade


class Ordered(NamedTuple):
    """A command as it stands in its topic."""

    appended_at_ms: int
    partition: int
    offset: int
    command: SendTouch


class Received(NamedTuple):
    """A receipt as it stands in its topic."""

    appended_at_ms: int
    receipt: ReceiptGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Evidence and claims of one run by touch; every list is in the order in which things happened."""

    bundle: Bundle
    inputs: Inputs
    expected: Mapping[TouchId, Expectation]
    inbox: Mapping[TouchId, list[InboxRow]]
    strange_rows: tuple[InboxRow, ...]
    commands: Mapping[TouchId, list[Ordered]]
    decisions: Mapping[TouchId, list[Decided]]
    receipts: Mapping[str, list[Received]]
    contacts: Mapping[str, list[tuple[int, Contact]]]
    by_customer: Mapping[str, list[TouchId]]
    holds: Mapping[str, list[tuple[int, int]]]

    def partition_of(self, customer_id: str) -> int:
        """Tell a customer's partition; -1 when no input names it."""
        customer = self.inputs.customers.get(customer_id)
        return customer.partition if customer else -1

    def contacts_at(self, customer_id: str, wall_ms: int, cached_ms: int) -> list[Contact]:
        """Every contact that was in force at a wall instant, or still cached from before."""
        known = self.contacts.get(customer_id, [])
        before = [index for index, (since_ms, _) in enumerate(known) if since_ms <= wall_ms - cached_ms]
        first = before[-1] if before else 0
        return [contact for since_ms, contact in known[first:] if since_ms <= wall_ms]

    def command_of(self, touch: TouchId, key: str, attempt: int) -> Ordered | None:
        """Find the command that ordered an attempt; the last of its key when there is no such attempt."""
        same = [one for one in self.commands.get(touch, ()) if one.command.touch_key == key]
        exact = [one for one in same if one.command.attempt == attempt]
        known = exact or same
        return known[-1] if known else None


def run_of(bundle: Bundle) -> Run:
    """Index a bundle and compute what had to happen."""
    inputs = inputs_of(bundle)
    found = expected(inputs, policies_of(bundle, inputs.timelines), bundle.manifest.horizon_ms)
    inbox, strange = _inbox(bundle, inputs, found)
    return Run(
        bundle=bundle,
        inputs=inputs,
        expected=found,
        inbox=inbox,
        strange_rows=strange,
        commands=_commands(bundle),
        decisions=_decisions(bundle),
        receipts=_receipts(bundle),
        contacts=_contacts(bundle),
        by_customer=grouped(found, lambda touch: found[touch].customer_id),
        holds=_holds(bundle),
    )


def grouped(values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    """Sort values into lists by a key, keeping their order."""
    found: dict[K, list[V]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return found


def touch_of(key: str) -> TouchId | None:
    """Read a touch key; None when it is none."""
    try:
        contract_id, term_id, step, channel, _ = touch_parts(key)
    except ValueError:
        return None
    return TouchId(contract_id, term_id, step, channel)


def revision_of(key: str) -> int:
    """The revision in a touch key; -1 when it is none."""
    try:
        return touch_parts(key)[4]
    except ValueError:
        return -1


def _inbox(
    bundle: Bundle, inputs: Inputs, found: Mapping[TouchId, Expectation]
) -> tuple[dict[TouchId, list[InboxRow]], tuple[InboxRow, ...]]:
    rows: dict[TouchId, list[InboxRow]] = {}
    strange = []
    for row in sorted(bundle.inbox, key=lambda row: (row.received_ms, row.seq)):
        touch = touch_of(row.key)
        if touch is None or touch not in found:
            strange.append(row)
            continue
        timeline = inputs.timelines[found[touch].partition]
        row.domain_ms = timeline.domain_ms(row.received_ms) if bundle.manifest.is_virtual else row.received_ms
        rows.setdefault(touch, []).append(row)
    return rows, tuple(strange)


def _commands(bundle: Bundle) -> dict[TouchId, list[Ordered]]:
    found: dict[TouchId, list[Ordered]] = {}
    for channel in bundle.manifest.channels:
        for one, command in _records(bundle.topics[topics.command_topic(Channel(channel))], SendTouch):
            touch = TouchId(command.contract_id, command.term_id, command.step, command.channel.value)
            found.setdefault(touch, []).append(Ordered(one.appended_at_ms, one.partition, one.offset, command))
    return found


def _decisions(bundle: Bundle) -> dict[TouchId, list[Decided]]:
    found: dict[TouchId, list[Decided]] = {}
    for one, decision in _records(bundle.topics[topics.DECISION], DecisionMade):
        touch = TouchId(decision.contract_id, decision.term_id, decision.step, decision.channel.value)
        found.setdefault(touch, []).append(Decided(one.appended_at_ms, one.partition, one.offset, decision))
    return found


def _receipts(bundle: Bundle) -> dict[str, list[Received]]:
    found: dict[str, list[Received]] = {}
    for one, receipt in _records(bundle.topics[topics.RECEIPT], ReceiptGiven):
        found.setdefault(receipt.touch_key, []).append(Received(one.appended_at_ms, receipt))
    return found


def _contacts(bundle: Bundle) -> dict[str, list[tuple[int, Contact]]]:
    """Put a time to each contact: that of the customer record of the same version, written in one transaction."""
    since = {
        (str(record.customer_id), record.version): one.appended_at_ms
        for one, record in reversed(list(_records(bundle.topics[topics.CUSTOMER], CustomerChanged)))
    }
    found: dict[str, list[tuple[int, Contact]]] = {}
    for contact in sorted(bundle.contacts, key=lambda contact: -contact.version):
        from_ms = since.get((contact.customer_id, contact.version), 0)
        known = found.setdefault(contact.customer_id, [])
        if not known or from_ms < known[0][0]:  # an older version that came later never was in force
            known.insert(0, (from_ms, contact))
    return found


def _holds(bundle: Bundle) -> dict[str, list[tuple[int, int]]]:
    """When the system itself claims to have held a customer: by the append times of its hold fence."""
    keys: dict[bytes, str] = {}
    found: dict[str, list[tuple[int, int]]] = {}
    for one in bundle.topics[topics.FENCE]:
        if isinstance(fence := one.record, FenceRaised) and fence.kind is FenceKind.HOLD and one.key is not None:
            keys[one.key] = fence.customer_id
            found.setdefault(fence.customer_id, []).append((one.appended_at_ms, NEVER_MS))
        elif one.record is None and one.key in keys:
            customer = found[keys[one.key]]
            customer[-1] = (customer[-1][0], one.appended_at_ms)
    return found


def _records(logged: Iterable[Logged], kind: type[R]) -> Iterable[tuple[Logged, R]]:
    return ((one, one.record) for one in logged if isinstance(one.record, kind))
