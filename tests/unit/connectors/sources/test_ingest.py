"""Ingestion: contacts are split from what the core may know, both leave together, and a bad row costs only itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import pytest

from connectors.sources.ingest import ROWS_A_TRANSACTION, Ingestion, ingest, outgoing_of
from connectors.sources.publisher import Outgoing
from connectors.sources.rows import BadRow, Row
from schemas.events import CustomerChanged, RequestMade
from schemas.identity import CustomerId, EventId
from schemas.outputs import ContactChanged, ContactKeyWrapped
from schemas.vocabulary import Channel


class OutletStopped(Exception):
    """The outlet of a test was told to break."""


@dataclass
class ListedOutlet:
    """Keeps what was published, a list a transaction; breaks when told to."""

    transactions: list[list[Outgoing]] = field(default_factory=list)
    is_broken: bool = False

    def publish(self, records: Iterable[Outgoing]) -> None:
        if self.is_broken:
            raise OutletStopped
        self.transactions.append(list(records))

    @property
    def published(self) -> list[tuple[str, bytes, bytes | None]]:
        return [(one.topic, one.key, one.value) for group in self.transactions for one in group]


@dataclass(frozen=True)
class NamedSeal:
    """A seal that hides nothing but the values."""

    contact: ContactChanged
    key: ContactKeyWrapped


class NamingSealer:
    """Keeps the names of the fields it would encrypt."""

    def seal(
        self, *, customer_id: str, version: int, occurred_at_ms: int, event_id: str, fields: Mapping[str, str]
    ) -> NamedSeal:
        customer = CustomerId(customer_id)
        return NamedSeal(
            contact=ContactChanged(
                event_id=EventId(event_id),
                customer_id=customer,
                version=version,
                occurred_at_ms=occurred_at_ms,
                key_id="k",
                fields=dict.fromkeys(fields, b"sealed"),
            ),
            key=ContactKeyWrapped(
                customer_id=customer, key_id="k", region="r", master_key_id="m", wrapped_key=b"", created_at_ms=1
            ),
        )


def parse(fields: Mapping[str, object]) -> msgspec.Struct:
    kind: type[msgspec.Struct] = RequestMade if "kind" in fields else CustomerChanged
    return msgspec.convert({"event_id": "e", "version": 1, "occurred_at_ms": 1, **fields}, kind)


INGESTION = Ingestion(parse=parse, encode=msgspec.json.encode, sealer=NamingSealer())


def customer_rows(*contacts: Mapping[str, object] | None) -> list[Row | BadRow]:
    return [
        Row(line=line, fields={"customer_id": f"C-{line}"} | ({"contact": contact} if contact else {}), text="{}")
        for line, contact in enumerate(contacts, start=1)
    ]


def run(
    rows: Iterable[Row | BadRow], outlet: ListedOutlet, reject: Callable[[BadRow], None] = lambda _row: None
) -> list[int]:
    return [account.rows for account in ingest(rows, INGESTION, outlet, reject)]


def reachable_of(fields: Mapping[str, object]) -> tuple[Channel, ...]:
    value = outgoing_of(fields, INGESTION)[0].value
    assert value is not None
    return msgspec.json.decode(value, type=CustomerChanged).reachable


def test_a_contact_never_reaches_the_core() -> None:
    outlet = ListedOutlet()
    run(customer_rows({"name": "Ada", "email": "ada@example.org"}), outlet)
    core = [value for topic, _, value in outlet.published if topic == "renewal.customer.v1"]
    assert len(core) == 1
    assert core[0] is not None
    assert b"ada@example.org" not in core[0]
    assert b"Ada" not in core[0]
    assert [(topic, key) for topic, key, _ in outlet.published] == [
        ("renewal.customer.v1", b"C-1"),
        ("renewal.contact-key.v1", b"C-1"),
        ("renewal.contact.v1", b"C-1"),
    ]
    assert len(outlet.transactions) == 1


@pytest.mark.parametrize(
    ("contact", "reachable"),
    [
        ({"name": "A", "email": "a@b.example"}, (Channel.EMAIL,)),
        ({"name": "A", "email": "a@b.example", "phone": "+86 10 1234"}, (Channel.EMAIL, Channel.SMS)),
        ({"name": "A", "email": " "}, ()),
    ],
)
def test_the_core_learns_by_which_channel_a_contact_can_be_reached(
    contact: Mapping[str, str], reachable: tuple[Channel, ...]
) -> None:
    assert reachable_of({"customer_id": "C-1", "contact": contact}) == reachable


def test_a_stated_reachability_is_kept() -> None:
    row = {"customer_id": "C-1", "reachable": ["wecom"], "contact": {"email": "a@b.example"}}
    assert reachable_of(row) == (Channel.WECOM,)


def test_a_bad_row_costs_only_itself() -> None:
    outlet, rejected = ListedOutlet(), list[BadRow]()
    rows = customer_rows({"name": "A"}, {"name": 5}, None)
    run([*rows, BadRow(line=9, problem="not JSON", text="{")], outlet, rejected.append)
    assert [row.line for row in rejected] == [2, 9]
    assert "name must be text" in rejected[0].problem
    assert {key for _, key, _ in outlet.published} == {b"C-1", b"C-3"}


def test_a_broken_transaction_is_not_counted() -> None:
    outlet = ListedOutlet(is_broken=True)
    with pytest.raises(OutletStopped):
        run(customer_rows({"name": "A"}), outlet)


def test_a_big_file_goes_in_many_small_transactions() -> None:
    outlet = ListedOutlet()
    progress = run(customer_rows(*[None] * (2 * ROWS_A_TRANSACTION + 1)), outlet)
    assert len(outlet.transactions) == 3
    assert progress[-1] == 2 * ROWS_A_TRANSACTION + 1


def test_only_a_customer_row_may_carry_a_contact() -> None:
    with pytest.raises(ValueError, match="only a customer row"):
        outgoing_of({"kind": "opted_out", "customer_id": "C", "contact": {"name": "A"}}, INGESTION)


def test_a_record_without_a_customer_is_a_bad_row() -> None:
    rejected = list[BadRow]()
    run([Row(line=7, fields={"customer_id": ""}, text="{}")], ListedOutlet(), rejected.append)
    assert [(row.line, row.problem) for row in rejected] == [(7, "customer_id is missing")]


def test_an_erasure_takes_key_and_contact_with_it() -> None:
    outgoing = outgoing_of({"kind": "erasure", "customer_id": "C-1"}, INGESTION)
    assert [(one.topic, one.value is None) for one in outgoing] == [
        ("renewal.request.v1", False),
        ("renewal.contact-key.v1", True),
        ("renewal.contact.v1", True),
    ]
