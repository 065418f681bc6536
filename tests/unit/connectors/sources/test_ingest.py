"""Ingestion: contacts are split from what the core may know, both leave together, and a bad row costs only itself."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from connectors.sources.ingest import MOST_AHEAD_MS, ROWS_A_TRANSACTION, Ingestion, ingest, outgoing_of
from connectors.sources.publisher import Outgoing
from connectors.sources.rows import BadRow, Row
from schemas.errors import InvalidRecord
from schemas.events import CustomerChanged
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


NOW_MS = 1_780_300_800_000  # 2026-06-01 08:00 UTC
INGESTION = Ingestion(encode=msgspec.json.encode, sealer=NamingSealer(), now_ms=NOW_MS)
BORN = {"type": "customer", "customer_id": "C-1", "version": 1, "occurred_at_ms": 1}


def row(line: int = 1, /, **fields: object) -> Row:
    return Row(line=line, text=json.dumps(fields, ensure_ascii=False))


def customer_rows(*contacts: Mapping[str, object] | None) -> list[Row | BadRow]:
    return [
        row(line, **BORN | {"customer_id": f"C-{line}"} | ({"contact": contact} if contact else {}))
        for line, contact in enumerate(contacts, start=1)
    ]


def run(
    rows: Iterable[Row | BadRow], outlet: ListedOutlet, reject: Callable[[BadRow], None] = lambda _row: None
) -> list[int]:
    return [account.rows for account in ingest(rows, INGESTION, outlet, reject)]


def reachable_of(**fields: object) -> tuple[Channel, ...]:
    value = outgoing_of(row(**BORN | fields), INGESTION)[0].value
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
    assert reachable_of(contact=contact) == reachable


def test_a_stated_reachability_is_kept() -> None:
    assert reachable_of(reachable=["wecom"], contact={"email": "a@b.example"}) == (Channel.WECOM,)
    assert reachable_of(reachable=[], contact={"email": "a@b.example"}) == ()


def test_a_row_too_large_for_the_broker_costs_only_itself() -> None:
    outlet, rejected = ListedOutlet(), list[BadRow]()
    rows = [*customer_rows(None), row(2, **BORN | {"segment": "x" * 2_000_000}), *customer_rows(None, None, None)[2:]]
    run(rows, outlet, rejected.append)
    assert [(bad.line, "bytes" in bad.problem) for bad in rejected] == [(2, True)]
    assert {key for _, key, _ in outlet.published} == {b"C-1", b"C-3"}


HELD = {
    "a version below zero": {"type": "customer", "version": -1},
    "a payment of no kind": {"type": "payment", "contract_id": "k", "payment_id": "p", "version": 1, "term_id": "t"}
    | {"kind": "unspecified"},
    "a payment for no term": {"type": "payment", "contract_id": "k", "payment_id": "p", "version": 1, "term_id": ""}
    | {"kind": "paid"},
    "a request of no kind": {"type": "request", "kind": "unspecified"},
    "a touch key that is none": {"type": "request", "kind": "compensation", "operator": "o", "touch_key": "t30"},
    "a wish of nobody's": {"type": "request", "kind": "compensation", "contract_id": "k"},
    "seconds for milliseconds": {"type": "request", "kind": "opted_out", "occurred_at_ms": 1_750_377_600},
}


@pytest.mark.parametrize("fields", HELD.values(), ids=HELD)
def test_what_the_core_would_hold_its_customer_for_is_refused_beforehand(fields: Mapping[str, object]) -> None:
    with pytest.raises((InvalidRecord, ValueError)):
        outgoing_of(row(**{"customer_id": "C-1", "occurred_at_ms": 1, **fields}), INGESTION)


def wish_of(occurred_at_ms: int, ingestion: Ingestion = INGESTION) -> tuple[Outgoing, ...]:
    wish = row(type="request", kind="opted_in", customer_id="C-1", occurred_at_ms=occurred_at_ms)
    return outgoing_of(wish, ingestion)


def test_a_wish_dated_beyond_tomorrow_is_refused_for_it_would_beat_every_later_one() -> None:
    assert wish_of(NOW_MS + MOST_AHEAD_MS)
    with pytest.raises(ValueError, match="more than a day ahead"):
        wish_of(NOW_MS + MOST_AHEAD_MS + 1)


@pytest.mark.parametrize("occurred_at_ms", [1 << 62, 253_402_300_800_000], ids=["no instant at all", "year 10000"])
def test_a_wish_dated_beyond_every_calendar_is_refused_in_words(occurred_at_ms: int) -> None:
    with pytest.raises(ValueError, match="more than a day ahead"):
        wish_of(occurred_at_ms)


def test_a_schedule_of_virtual_time_may_run_ahead() -> None:
    assert wish_of(NOW_MS * 2, replace(INGESTION, now_ms=None))


def test_a_bad_row_costs_only_itself() -> None:
    outlet, rejected = ListedOutlet(), list[BadRow]()
    rows = customer_rows({"name": "A"}, {"name": 5}, None)
    run([*rows, BadRow(line=9, problem="not JSON", text="{")], outlet, rejected.append)
    assert [bad.line for bad in rejected] == [2, 9]
    assert "write a map of texts" in rejected[0].problem
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
    asked = row(type="request", kind="opted_out", customer_id="C", occurred_at_ms=1, contact={"name": "A"})
    with pytest.raises(InvalidRecord, match="belong to a row of type customer"):
        outgoing_of(asked, INGESTION)


def test_a_stop_is_no_row_of_a_file() -> None:
    rejected = list[BadRow]()
    run([row(7, type="request", customer_id="", kind="stop", occurred_at_ms=1)], ListedOutlet(), rejected.append)
    assert [bad.line for bad in rejected] == [7]
    assert "`perennial stop`" in rejected[0].problem


def test_an_erasure_takes_key_and_contact_with_it() -> None:
    outgoing = outgoing_of(row(type="request", kind="erasure", customer_id="C-1", occurred_at_ms=1), INGESTION)
    assert [(one.topic, one.value is None) for one in outgoing] == [
        ("renewal.request.v1", False),
        ("renewal.contact-key.v1", True),
        ("renewal.contact.v1", True),
    ]


def test_a_csv_row_may_leave_its_type_to_the_command() -> None:
    named = Ingestion(encode=msgspec.json.encode, sealer=NamingSealer(), now_ms=NOW_MS, record="customer")
    cells: dict[str | None, object] = {
        "customer_id": "C-1",
        "version": "3",
        "occurred_at_ms": "1",
        "contact.name": "A, B",
    }
    topics = [one.topic for one in outgoing_of(Row(line=2, text="", cells=cells), named)]
    assert topics == ["renewal.customer.v1", "renewal.contact-key.v1", "renewal.contact.v1"]


@pytest.mark.parametrize("kind", ["tick", "encrypted_contact", "decision"])
def test_only_what_upstream_may_say_is_published_from_a_file(kind: str) -> None:
    rejected = list[BadRow]()
    run([row(type=kind, customer_id="C-1", now_ms=1, barrier={})], ListedOutlet(), rejected.append)
    assert len(rejected) == 1


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a": ' + "9" * 10_000 + "}"])
def test_a_hostile_line_is_a_bad_row(line: str) -> None:
    rejected = list[BadRow]()
    run([Row(line=1, text=line)], ListedOutlet(), rejected.append)
    assert len(rejected) == 1
