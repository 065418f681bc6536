"""The bundle of a run: everything a judge needs, without the system: topics as they were, inbox, nemesis, contacts."""

import base64
import gzip
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from connectors.queries.topic_records import records_in
from deploy.demo.files import CONTACTS, write_lines
from deploy.demo.plan import Fields
from schemas import topics
from schemas.transport.records import Record
from schemas.transport.settings import KafkaSettings
from schemas.vocabulary import Channel

TOPICS, INBOX, NEMESIS, MANIFEST = "topics", "inbox", "nemesis.jsonl", "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the run was: enough to judge it again, and to run it again from its seed."""

    seed: int
    days: int
    customers: int
    application: str
    partitions: int
    is_virtual: bool
    channels: tuple[str, ...]
    started_at_ms: int
    horizon_ms: int
    tzdata: str
    versions: Mapping[str, str]
    session_timeout_ms: int
    delivery_class: Mapping[str, str]
    in_flight: int
    fed_twice_from_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """One thing the nemesis did, wall clock, with the proof that it took effect."""

    from_ms: int
    to_ms: int
    kind: str
    target: str
    proof: str


def judged_topics(channels: Iterable[Channel]) -> tuple[str, ...]:
    """The topics that a judge reads: all inputs, and every claim of ours."""
    commands = tuple(topics.command_topic(channel) for channel in channels)
    return (*topics.INPUTS, *commands, topics.DECISION, topics.TASK, topics.FENCE, topics.DEAD_LETTER)


def write_bundle(
    folder: Path, settings: KafkaSettings, manifest: Manifest, harms: Iterable[Harm], contacts: Iterable[Fields]
) -> None:
    """Write topics, manifest, nemesis and contacts; the inbox is the simulator's own file."""
    shutil.rmtree(folder / TOPICS, ignore_errors=True)
    (folder / TOPICS).mkdir(parents=True)
    for topic in judged_topics(Channel(name) for name in manifest.channels):
        write_topic(folder / TOPICS / f"{topic}.jsonl.gz", records_in(settings, topic, manifest.partitions))
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    write_lines(folder / NEMESIS, (asdict(harm) for harm in harms))
    write_lines(folder / CONTACTS, contacts)


def write_topic(path: Path, records: Iterable[Record]) -> None:
    """Write every record of a topic, sorted by partition and offset."""
    by_partition: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(record)
    with gzip.open(path, "wt", compresslevel=3, encoding="ascii") as file:
        for partition in sorted(by_partition):
            file.writelines(json.dumps(_row(record)) + "\n" for record in by_partition[partition])


def inbox_of(folder: Path, channel: Channel) -> Path:
    """Where a channel's simulator keeps what it received."""
    return folder / INBOX / f"{channel.value}.jsonl"


def _row(record: Record) -> Fields:
    return {
        "partition": record.partition,
        "offset": record.offset,
        "appended_at_ms": record.appended_at_ms,
        "key": _base64(record.key),
        "value": _base64(record.value),
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
