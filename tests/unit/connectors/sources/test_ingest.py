"""Ingestion: contacts are split from what the core may know, both leave together, and a bad row costs only itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import pytest

from connectors.sources.ingest import ROWS_A_TRANSACTION, Ingestion, ingest, records_of
from connectors.sources.rows import BadRow, Row
from schemas.events import CustomerChanged
from schemas.identity import CustomerId, EventId
from schemas.outputs import ContactChanged
from schemas.vocabulary import Channel


class OutletStopped(Exception):
    """The outlet of a test was told to break."""


@dataclass
class ListedOutlet:
    """Keeps what was committed; breaks at the record it is told to."""

    committed: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    transactions: int = 0
    breaks_at: int = -1
    _open: list[tuple[str, bytes, bytes]] | None = None

    def begin(self) -> None:
        assert self._open is None
        self._open = []

    def produce(self, topic: str, key: bytes, value: bytes) -> None:
        assert self._open is not None
        if len(self._open) == self.breaks_at:
            raise OutletStopped
        self._open.append((topic, key, value))

    def commit(self) -> None:
        assert self._open is not None
        self.committed += self._open
        self.transactions += 1
        self._open = None

    def abort(self) -> None:
        self._open = None


class NamingSealer:
    """Names the fields it would encrypt."""

    def seal(self, customer: CustomerChanged, contact: Mapping[str, str]) -> Iterable[msgspec.Struct]:
        yield ContactChanged(
            event_id=customer.event_id,
            customer_id=customer.customer_id,
            version=customer.version,
            occurred_at_ms=customer.occurred_at_ms,
            key_id="k",
            fields=dict.fromkeys(contact, b"sealed"),
        )


def parse(fields: Mapping[str, object]) -> msgspec.Struct:
    return msgspec.convert({"event_id": "e", "version": 1, "occurred_at_ms": 1, **fields}, CustomerChanged)


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


def test_a_contact_never_reaches_the_core() -> None:
    outlet = ListedOutlet()
    run(customer_rows({"name": "Ада", "email": "ada@example.org"}), outlet)
    core = [value for topic, _, value in outlet.committed if topic == "renewal.customer.v1"]
    assert len(core) == 1
    assert b"ada@example.org" not in core[0]
    assert "Ада".encode() not in core[0]
    assert [(topic, key) for topic, key, _ in outlet.committed] == [
        ("renewal.customer.v1", b"C-1"),
        ("renewal.contact.v1", b"C-1"),
    ]


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
    event = records_of({"customer_id": "C-1", "contact": contact}, INGESTION)[0]
    assert isinstance(event, CustomerChanged)
    assert event.reachable == reachable


def test_a_stated_reachability_is_kept() -> None:
    event = records_of({"customer_id": "C-1", "reachable": ["wecom"], "contact": {"email": "a@b.example"}}, INGESTION)[
        0
    ]
    assert isinstance(event, CustomerChanged)
    assert event.reachable == (Channel.WECOM,)


def test_a_bad_row_costs_only_itself() -> None:
    outlet, rejected = ListedOutlet(), list[BadRow]()
    rows = customer_rows({"name": "A"}, {"name": 5}, None)
    run([*rows, BadRow(line=9, problem="not JSON", text="{")], outlet, rejected.append)
    assert [row.line for row in rejected] == [2, 9]
    assert "name must be text" in rejected[0].problem
    assert {key for _, key, _ in outlet.committed} == {b"C-1", b"C-3"}


def test_a_broken_transaction_leaves_nothing_behind() -> None:
    outlet = ListedOutlet(breaks_at=1)
    with pytest.raises(OutletStopped):
        run(customer_rows({"name": "A"}), outlet)
    assert outlet.committed == []


def test_a_big_file_goes_in_many_small_transactions() -> None:
    outlet = ListedOutlet()
    progress = run(customer_rows(*[None] * (2 * ROWS_A_TRANSACTION + 1)), outlet)
    assert outlet.transactions == 3
    assert progress[-1] == 2 * ROWS_A_TRANSACTION + 1


def test_only_a_customer_row_may_carry_a_contact() -> None:
    payment = Ingestion(
        parse=lambda _: ContactChanged(
            event_id=EventId("e"), customer_id=CustomerId("C"), version=1, occurred_at_ms=1, key_id="", fields={}
        ),
        encode=msgspec.json.encode,
        sealer=NamingSealer(),
    )
    with pytest.raises(ValueError, match="only a customer row"):
        records_of({"contact": {"name": "A"}}, payment)
