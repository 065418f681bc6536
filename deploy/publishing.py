"""Publishing from files: events with their rejects beside the file, policies checked before anybody sees them."""

import json
import uuid
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.contacts.master_key import master_key_from
from connectors.contacts.sealing import ContactSealer
from connectors.settings import ConnectorSettings
from connectors.sources import policies
from connectors.sources.ingest import Account, Ingestion, ingest
from connectors.sources.publisher import Publisher
from connectors.sources.rows import BadRow, UnreadableFile, read_rows
from deploy.settings import Installation, installation, now_ms, settings_of
from processors.policy import read_policy

_SHOWN_REJECTS = 5
SOME_REJECTED = 3  # an exit status of its own: all other rows are published
REJECTS_SUFFIX = ".rejects.jsonl"


def publish_file(file: Path, *, encoding: str, record: str) -> int:
    """Publish the rows of a file and show what went where; SOME_REJECTED when rows were."""
    here, rejects = installation(), Rejects(file)
    with Publisher(here.kafka("publish"), f"{here.application}-publish-{uuid.uuid4()}") as publisher:
        parts = ingest(read_rows(file, encoding), ingestion_of(here, record), publisher, rejects.add)
        account = _watched(parts)
    rejects.write()
    _show(file, account, rejects)
    return SOME_REJECTED if rejects.rows else 0


def ingestion_of(here: Installation, record: str = "") -> Ingestion:
    """What turns rows into records here: the codec, and the sealer under this installation's master key."""
    settings = settings_of(ConnectorSettings)
    sealer = ContactSealer(master=master_key_from(settings), region=settings.region)
    return Ingestion(encode=here.codec().encode, sealer=sealer, now_ms=now_ms(), record=record)


def publish_policy_file(file: Path, *, number: int, operator: str) -> None:
    """Check a policy, publish it under the next number, and say which."""
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UnreadableFile(f"{file}: {problem}; give a policy in YAML, UTF-8") from None
    published = publish_policy(installation(), content, number=number, operator=operator)
    Console().print(f"policy [bold]{published}[/bold] is published to every partition; all customers are judged again")


def publish_policy(here: Installation, content: str, *, number: int = 0, operator: str = "") -> int:
    """Publish a checked policy to every partition in one transaction and return its number.

    Raises:
        InvalidRecord: the text is no policy; the message names the field.
        PolicyNumberTaken: the number is not above all before.
    """
    read_policy(content)
    codec = here.codec()
    with Publisher(here.kafka("policy"), f"{here.application}-{policies.PUBLISHER}") as publisher:
        wanted = policies.numbered(policies.latest_policy(here.kafka("policy"), codec, here.partitions), number)
        record = policies.policy_record(content, number=wanted, published_at_ms=now_ms(), operator=operator)
        publisher.publish(policies.to_every_partition(record, codec, here.partitions))
    return wanted


class Rejects:
    """The rows of a file that are no records, kept beside it with line number and cause."""

    def __init__(self, file: Path) -> None:
        """Remember where the file is; nothing is written without rejects."""
        self.path = file.with_name(file.name + REJECTS_SUFFIX)
        self.rows: list[BadRow] = []

    def add(self, row: BadRow) -> None:
        """Keep one."""
        self.rows.append(row)

    def write(self) -> None:
        """Write all of them, or remove what an earlier run left."""
        if not self.rows:
            self.path.unlink(missing_ok=True)
            return
        with self.path.open("w", encoding="utf-8") as file:
            for row in self.rows:
                told = {"line": row.line, "problem": row.problem, "row": row.text}
                file.write(json.dumps(told, ensure_ascii=False) + "\n")


def _watched(parts: Iterable[Account]) -> Account:
    account = Account()
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("publishing", total=None)
        for account in parts:
            progress.update(task, completed=account.rows)
    return account


def _show(file: Path, account: Account, rejects: Rejects) -> None:
    console, table = Console(), Table(title=file.name)
    table.add_column("topic")
    table.add_column("records", justify="right")
    for topic, count in sorted(account.records.items()):
        table.add_row(topic, f"{count:,}")
    table.add_row("rejected rows", f"{account.rejected:,}", style="red" if account.rejected else "dim")
    console.print(table)
    for row in rejects.rows[:_SHOWN_REJECTS]:
        console.print(f"line {row.line}: {row.problem}", style="red", markup=False)
    if rejects.rows:
        console.print(
            f"all rejected rows: {rejects.path}. Correct them and publish the file again; the rest changes nothing"
        )
