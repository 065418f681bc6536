"""What a finished run left on disk: topics, the provider's inbox, contacts, the nemesis log and the manifest."""

import base64
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from schemas import events, outputs, topics
from schemas.codec import packaged_codec
from schemas.errors import Refused
from schemas.vocabulary import Channel

T = TypeVar("T")
Decode = Callable[[bytes], msgspec.Struct]


class IncompleteBundle(Exception):
    """The bundle lacks something without which nothing can be judged; the message says what."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Which run this was; `in_flight` is W, the most touches a crash can leave in doubt at one process."""

    seed: int
    partitions: int
    is_virtual: bool
    horizon_ms: int
    days: int = 0
    application: str = ""
    channels: tuple[str, ...] = (Channel.EMAIL.value,)
    started_at_ms: int = 0
    tzdata: str = ""
    versions: dict[str, object] = {}
    session_timeout_ms: int = 6_000
    delivery_class: dict[str, str] = {}
    in_flight: int = 64
    fed_twice_from_ms: int = 0
    allow_list: tuple[str, ...] = ()


class InboxRow(msgspec.Struct, kw_only=True):
    """One request that the provider's simulator read; `domain_ms` and `answered_code` are filled by us."""

    seq: int
    channel: str
    key: str
    attempt: int
    received_ms: int
    acted: bool
    fault: str = ""
    recipient: str = ""
    recipient_hash: str = ""
    subject: str = ""
    text: str = ""
    body_sha256: str = ""
    domain_ms: int = -1
    answered_code: int = 0


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a customer's clear contact, as the test data generator made it."""

    customer_id: str
    version: int
    name: str | None = None
    email: str | None = None


class NemesisRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fault that was injected, and the proof that it took effect."""

    from_ms: int
    to_ms: int
    kind: str
    target: str
    proof: object = None


class Logged(NamedTuple):
    """One record as it stands in a topic; `record` is None for a tombstone and for what cannot be decoded."""

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    key: bytes | None
    record: msgspec.Struct | None
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything a verdict rests on; topics are keyed by logical name, in order of partition and offset."""

    manifest: Manifest
    topics: Mapping[str, tuple[Logged, ...]]
    inbox: tuple[InboxRow, ...]
    contacts: tuple[Contact, ...]
    nemesis: tuple[NemesisRow, ...]
    decode: Mapping[str, Decode]


class _Line(msgspec.Struct):
    partition: int
    offset: int
    appended_at_ms: int
    key: str | None = None
    value: str | None = None


def load_bundle(folder: Path) -> Bundle:
    """Read and decode a bundle; IncompleteBundle names the first thing that is missing or unreadable."""
    manifest = _manifest(folder)
    decode = decoders(manifest.channels)
    return Bundle(
        manifest=manifest,
        topics={topic: _topic(folder, topic, decode[topic]) for topic in decode},
        inbox=tuple(row for channel in manifest.channels for row in _inbox(folder / "inbox" / f"{channel}.jsonl")),
        contacts=tuple(_rows(folder / "contacts.jsonl", Contact)),
        nemesis=tuple(_rows(folder / "nemesis.jsonl", NemesisRow)),
        decode=decode,
    )


def decoders(channels: tuple[str, ...]) -> dict[str, Decode]:
    """Build the reader of every topic that a bundle must hold."""
    codec = packaged_codec()
    kinds: dict[str, tuple[type[msgspec.Struct], ...]] = {
        topics.CUSTOMER: (events.CustomerChanged,),
        topics.CONTRACT: (events.ContractChanged,),
        topics.PAYMENT: (events.PaymentRecorded,),
        topics.ENGAGEMENT: (events.EngagementSeen,),
        topics.RECEIPT: (events.ReceiptGiven,),
        topics.REQUEST: (events.RequestMade,),
        topics.POLICY: (events.PolicyPublished,),
        topics.TICK: (events.Tick,),
        topics.DECISION: (outputs.DecisionMade,),
        topics.TASK: (outputs.TaskOpened,),
        topics.FENCE: (outputs.FenceRaised, outputs.HeartbeatSent),
        topics.DEAD_LETTER: (outputs.DeadLetter,),
        **{topics.command_topic(Channel(channel)): (outputs.SendTouch,) for channel in channels},
    }
    return {topic: codec.decoder(kind) for topic, kind in kinds.items()}


def _manifest(folder: Path) -> Manifest:
    try:
        return msgspec.json.decode(_existing(folder / "manifest.json").read_bytes(), type=Manifest)
    except msgspec.MsgspecError as unreadable:
        raise IncompleteBundle(f"manifest.json: {unreadable}") from unreadable


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise IncompleteBundle(f"{path} is missing: let the run that makes the bundle end by itself")
    return path


def _topic(folder: Path, topic: str, decode: Decode) -> tuple[Logged, ...]:
    path = _existing(folder / "topics" / f"{topic}.jsonl.gz")
    reader = msgspec.json.Decoder(_Line)
    try:
        with gzip.open(path) as lines:
            logged = [_logged(topic, reader.decode(line), decode) for line in lines if line.strip()]
    except (OSError, EOFError, ValueError) as unreadable:
        raise IncompleteBundle(f"{path}: {unreadable}") from unreadable
    return tuple(sorted(logged, key=lambda one: (one.partition, one.offset)))


def _logged(topic: str, line: _Line, decode: Decode) -> Logged:
    key = None if line.key is None else base64.b64decode(line.key)
    record, refused = None, ""
    if line.value is None:
        refused = "no value"  # a tombstone where a topic has such, a refusal in the inputs
    else:
        try:
            record = decode(base64.b64decode(line.value))
        except Refused as cause:
            refused = cause.cause
    return Logged(topic, line.partition, line.offset, line.appended_at_ms, key, record, refused)


def _rows(path: Path, kind: type[T]) -> Iterator[T]:
    reader = msgspec.json.Decoder(kind)
    for number, line in enumerate(_existing(path).read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                yield reader.decode(line)
            except msgspec.MsgspecError as unreadable:
                raise IncompleteBundle(f"{path}, line {number}: {unreadable}") from unreadable


def _inbox(path: Path) -> list[InboxRow]:
    """Join the lines of an inbox: what was received, and below it what the provider answered."""
    received: dict[int, InboxRow] = {}
    for line in _rows(path, dict[str, object]):
        if line.get("line") == "received":
            row = msgspec.convert({name: line[name] for name in InboxRow.__struct_fields__ if name in line}, InboxRow)
            received[row.seq] = row
        elif line.get("line") == "answered":
            _answer(received, line)
    return list(received.values())


def _answer(received: Mapping[int, InboxRow], line: Mapping[str, object]) -> None:
    row, code = received.get(int(str(line["seq"]))), str(line.get("code") or "0")
    if row is not None:
        row.answered_code = int(code) if code.isdigit() else 0
