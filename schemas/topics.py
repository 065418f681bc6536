"""The topic catalogue: every topic's name, key, records, retention, writers and readers, named here and nowhere else.

Names are logical: `schemas.transport` and the stream frame add an installation's topic prefix on the way out and strip
it on the way in, so that several systems can share a cluster.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from schemas import events, outputs
from schemas.vocabulary import Channel

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS  # of retention, not of a calendar
DEFAULT_PARTITIONS = 12
WEEK_MS = 7 * DAY_MS

CUSTOMER = "renewal.customer.v1"
CONTRACT = "renewal.contract.v1"
PAYMENT = "renewal.payment.v1"
ENGAGEMENT = "renewal.engagement.v1"
RECEIPT = "renewal.receipt.v1"
REQUEST = "renewal.request.v1"
POLICY = "renewal.policy.v1"
TICK = "renewal.tick.v1"
DECISION = "renewal.decision.v1"
TASK = "renewal.task.v1"
FENCE = "renewal.fence.v1"
DEAD_LETTER = "renewal.dead-letter.v1"
CONTACT = "renewal.contact.v1"
CONTACT_KEY = "renewal.contact-key.v1"

INPUTS = (CUSTOMER, CONTRACT, PAYMENT, ENGAGEMENT, RECEIPT, REQUEST, POLICY, TICK)
STOPPING = (CUSTOMER, PAYMENT, REQUEST, POLICY)
BARRIER = tuple(topic for topic in INPUTS if topic not in {ENGAGEMENT, TICK})
HOLDING = (CUSTOMER, CONTRACT, PAYMENT, REQUEST)
FETCHED_FIRST = (CUSTOMER, PAYMENT, REQUEST, RECEIPT, TICK, POLICY)
PARTITION_SCOPED_KEY_PREFIX = b"p"


class Cleanup(StrEnum):
    """What Kafka does with old records of a topic."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic as it must exist; `retention_ms` is -1 for ever, `is_co_partitioned` means P partitions by customer."""

    name: str
    key: str
    records: tuple[type[msgspec.Struct], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    purpose: str
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int = 30 * DAY_MS
    is_append_time: bool = True
    delete_retention_ms: int = WEEK_MS
    max_message_bytes: int = 1_048_576


def command_topic(channel: Channel) -> str:
    """Name the topic of a channel's commands, such as `renewal.command.in-app.v1`."""
    return f"renewal.command.{_dashed(channel)}.v1"


def ledger_topic(channel: Channel) -> str:
    """Name the compacted topic of a channel's intents and results."""
    return f"renewal.ledger.{_dashed(channel)}.v1"


def changelog_topic(application: str) -> str:
    """Name the changelog of an application's state table, as Faust does."""
    return f"{application}-state-changelog"


def partition_key(partition: int) -> bytes:
    """Give the key of a partition-scoped record (tick, policy, stop, start), such as `b"p7"`."""
    return PARTITION_SCOPED_KEY_PREFIX + str(partition).encode()


def catalogue(*, application: str, channels: tuple[Channel, ...]) -> tuple[Topic, ...]:
    """List every topic of a system with these channels, inputs first; names are unique."""
    return (*_INPUT_TOPICS, *_OUTPUT_TOPICS, *(_channel_topics(channels)), _changelog(application))


def _dashed(channel: Channel) -> str:
    return channel.value.replace("_", "-")


def _channel_topics(channels: tuple[Channel, ...]) -> tuple[Topic, ...]:
    commands = tuple(
        Topic(
            name=command_topic(channel),
            key="customer_id",
            records=(outputs.SendTouch,),
            writers=("worker",),
            readers=(f"channel {channel.value}", "balance"),
            purpose="orders to send one attempt of one touch",
        )
        for channel in channels
    )
    ledgers = tuple(
        Topic(
            name=ledger_topic(channel),
            key="touch_key",
            records=(outputs.LedgerRow,),
            writers=(f"channel {channel.value}",),
            readers=(f"channel {channel.value}",),
            purpose="intents before the call, results after it",
            cleanup=Cleanup.COMPACT,
            retention_ms=-1,
        )
        for channel in channels
    )
    return commands + ledgers


def _changelog(application: str) -> Topic:
    return Topic(
        name=changelog_topic(application),
        key="customer_id",
        records=(),
        writers=("worker",),
        readers=("worker", "explain", "upcoming"),
        purpose="rebuilds the state of a partition: private msgpack, not for other readers",
        cleanup=Cleanup.COMPACT,
        retention_ms=-1,
        max_message_bytes=2_097_152,  # keeps any input of a held customer, with its envelope
    )


_INPUT_TOPICS = (
    Topic(
        name=CUSTOMER,
        key="customer_id",
        records=(events.CustomerChanged,),
        writers=("CRM", "ingest", "worker"),
        readers=("worker", "balance"),
        purpose="who the customer is, without contact details",
        retention_ms=-1,
    ),
    Topic(
        name=CONTRACT,
        key="customer_id",
        records=(events.ContractChanged,),
        writers=("CRM", "ingest", "worker"),
        readers=("worker", "balance"),
        purpose="terms of contracts, versioned",
        retention_ms=-1,
    ),
    Topic(
        name=PAYMENT,
        key="customer_id",
        records=(events.PaymentRecorded,),
        writers=("billing", "ingest", "worker"),
        readers=("worker", "balance"),
        purpose="payments for the renewal of a term, versioned",
        retention_ms=-1,
    ),
    Topic(
        name=ENGAGEMENT,
        key="customer_id",
        records=(events.EngagementSeen,),
        writers=("product", "ingest", "worker"),
        readers=("worker",),
        purpose="what customers do: opens, clicks, usage, other sends",
    ),
    Topic(
        name=RECEIPT,
        key="customer_id",
        records=(events.ReceiptGiven,),
        writers=("channels", "worker"),
        readers=("worker", "balance"),
        purpose="what became of each attempt",
        retention_ms=90 * DAY_MS,
    ),
    Topic(
        name=REQUEST,
        key="customer_id, or p<number> for stop and start",
        records=(events.RequestMade,),
        writers=("operators", "unsubscribe door", "worker"),
        readers=("worker", "balance"),
        purpose="consent, opt-out, erasure, stop, start, release, compensation",
        retention_ms=-1,
    ),
    Topic(
        name=POLICY,
        key="p<number>",
        records=(events.PolicyPublished,),
        writers=("operators",),
        readers=("worker", "balance"),
        purpose="one copy of each policy set for every partition",
        retention_ms=-1,
        max_message_bytes=4_194_304,
    ),
    Topic(
        name=TICK,
        key="p<number>",
        records=(events.Tick,),
        writers=("clock",),
        readers=("worker", "balance"),
        purpose="what time it is, and how far the inputs reached before it",
        retention_ms=DAY_MS,
    ),
)

_OUTPUT_TOPICS = (
    Topic(
        name=DECISION,
        key="customer_id",
        records=(outputs.DecisionMade,),
        writers=("worker",),
        readers=("explain", "balance", "analytics"),
        purpose="why, and why not",
        retention_ms=400 * DAY_MS,
    ),
    Topic(
        name=TASK,
        key="customer_id",
        records=(outputs.TaskOpened,),
        writers=("worker",),
        readers=("task desks",),
        purpose="work for people",
        retention_ms=90 * DAY_MS,
    ),
    Topic(
        name=FENCE,
        key="fence_key, or `heartbeat`",
        records=(outputs.FenceRaised, outputs.HeartbeatSent),
        writers=("worker",),
        readers=("channels", "contacts", "clock (virtual)"),
        purpose="what must not be sent, and signs of life",
        cleanup=Cleanup.COMPACT,
        retention_ms=-1,
    ),
    Topic(
        name=DEAD_LETTER,
        key="customer_id, else the original key",
        records=(outputs.DeadLetter,),
        writers=("worker",),
        readers=("dead-letters", "replay", "balance"),
        purpose="records refused and touches given up",
        retention_ms=90 * DAY_MS,
        max_message_bytes=16_777_216,
    ),
    Topic(
        name=CONTACT,
        key="customer_id",
        records=(outputs.ContactChanged,),
        writers=("ingest",),
        readers=("contacts",),
        purpose="encrypted names and addresses",
        cleanup=Cleanup.COMPACT,
        retention_ms=-1,
    ),
    Topic(
        name=CONTACT_KEY,
        key="customer_id",
        records=(outputs.ContactKeyWrapped,),
        writers=("ingest",),
        readers=("contacts", "ingest"),
        purpose="wrapped data keys; a tombstone is an erasure",
        cleanup=Cleanup.COMPACT,
        retention_ms=-1,
    ),
)
