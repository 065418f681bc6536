"""Lines that people write: what is read, and the advice they get where a line cannot be read."""

import json
from datetime import date

import pytest

from schemas.errors import InvalidRecord
from schemas.events import ContractChanged, CustomerChanged, RequestMade
from schemas.json_lines import ContactDetails, parse_csv_row, parse_json_line, to_json_line
from schemas.vocabulary import Channel, CustomerTier, ProductType
from tests.builders import NASTY_NAMES, a_contract, a_customer, ms

CONTRACT = {
    "type": "contract",
    "customer_id": "c-1",
    "contract_id": "k-1",
    "version": 1,
    "occurred_at": "2026-01-05T08:00:00+08:00",
    "starts_on": "2025-07-01",
    "expires_on": "2026-06-30",
}
CUSTOMER = {"type": "customer", "customer_id": "c-1", "version": 1, "occurred_at_ms": 0}


def contract_line(**changes: object) -> str:
    return json.dumps(CONTRACT | changes)


def contract(**changes: object) -> ContractChanged:
    record = parse_json_line(contract_line(**changes)).record
    assert isinstance(record, ContractChanged)
    return record


def advice(line: str) -> str:
    with pytest.raises(InvalidRecord) as refused:
        parse_json_line(line)
    return str(refused.value)


def test_a_line_becomes_a_record() -> None:
    read = contract(product_type="Subscription", auto_renews=True, attributes={"size": "large"})
    assert read.expires_on == date(2026, 6, 30)
    assert read.occurred_at_ms == ms("2026-01-05T00:00Z")
    assert read.product_type is ProductType.SUBSCRIPTION
    assert read.attributes == {"size": "large"}


def test_a_line_without_an_event_id_gets_the_same_one_whenever_its_content_is_the_same() -> None:
    first = contract()
    shuffled = parse_json_line(json.dumps(dict(reversed(CONTRACT.items())))).record
    assert first == shuffled
    assert first.event_id.startswith("h-")
    assert contract(version=2).event_id != first.event_id


@pytest.mark.parametrize("spelling", ["2026-6-3", "2026/06/03", "2026/6/3", "2026.6.3", "20260603", "2026年6月3日"])
def test_a_day_with_its_year_first_is_normalised(spelling: str) -> None:
    assert contract(expires_on=spelling).expires_on == date(2026, 6, 3)


@pytest.mark.parametrize(
    "spelling",
    ["03/06/2026", "3.6.2026", "June 3 2026", "26-06-03", "2026-06-03T00:00:00Z", "2026-6/3", "", 46176, None],
)
def test_a_day_that_could_be_another_is_refused_with_advice(spelling: object) -> None:
    assert "contract.expires_on" in advice(contract_line(expires_on=spelling))
    assert "write it as YYYY-MM-DD" in advice(contract_line(expires_on=spelling))


def test_a_day_outside_the_calendar_is_refused() -> None:
    assert "not in the calendar" in advice(contract_line(expires_on="2026-02-29"))
    assert contract(expires_on="2028-02-29").expires_on == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("{", "not JSON", id="half a line"),
        pytest.param("[1]", "not a JSON object", id="a list"),
        pytest.param("{}", "type: missing", id="no type"),
        pytest.param('{"type": "contact"}', "write one of customer, contract", id="another type"),
        pytest.param('{"type": "contract", "type": "payment"}', "twice", id="a field twice"),
        pytest.param(contract_line(expires="x"), "did you mean expires_on?", id="a field misspelt"),
        pytest.param(contract_line(version="one"), "contract.version: 'one' is not a whole number", id="words"),
        pytest.param(contract_line(version=1.5), "not a whole number", id="a fraction"),
        pytest.param(contract_line(version=True), "not a whole number", id="a truth"),
        pytest.param(contract_line(version=2**63), "not a whole number", id="65 bits"),
        pytest.param(contract_line(customer_id=17), "write it in quotes", id="a number for a name"),
        pytest.param(contract_line(customer_id=""), "contract.customer_id: empty", id="no customer"),
        pytest.param(contract_line(product_name="\ud83d"), "lone surrogate", id="half an emoji"),
        pytest.param(contract_line(currency="yuan"), "ISO 4217", id="currency"),
        pytest.param(contract_line(expires_on="2025-06-30"), "lies before starts_on", id="ends before it starts"),
        pytest.param(contract_line(status="activ"), "did you mean active?", id="a word misspelt"),
        pytest.param(contract_line(occurred_at="2026-01-05T08:00:00"), "does not say its zone", id="no zone"),
        pytest.param(contract_line(occurred_at_ms=1), "given twice", id="an instant twice"),
        pytest.param(contract_line(contact={}), "belong to a row of type customer", id="contact elsewhere"),
        pytest.param(contract_line(attributes=[]), "this is a map", id="a list for a map"),
    ],
)
def test_advice_names_the_field_and_what_to_write(line: str, said: str) -> None:
    assert said in advice(line)


def test_a_missing_field_is_explained() -> None:
    line = {key: value for key, value in CONTRACT.items() if key != "version"}
    assert advice(json.dumps(line)).startswith("contract.version: missing; write: Grows with every change")


def test_contact_details_come_beside_the_record_and_are_never_shown() -> None:
    details = {"name": "Wang Xiaoming", "email": "wang@example.com"}
    read = parse_json_line(json.dumps(CUSTOMER | {"contact": details}))
    assert read.contact == ContactDetails(**details)
    assert isinstance(read.record, CustomerChanged)
    assert not any(secret in repr(read) for secret in details.values())
    assert not any(secret in to_json_line(read.record) for secret in details.values())


def test_advice_about_contact_details_does_not_repeat_them() -> None:
    said = advice(json.dumps(CUSTOMER | {"contact": {"mail": "wang@example.com"}}))
    assert "customer.contact.mail: no such field; there are name, company, email, phone" in said
    assert "wang" not in said


def test_a_request_for_a_partition_needs_no_customer() -> None:
    line = {"type": "request", "customer_id": "", "occurred_at_ms": 0, "kind": "stop"}
    assert isinstance(parse_json_line(json.dumps(line)).record, RequestMade)


def test_a_row_of_csv_reads_like_a_line() -> None:
    row: dict[str | None, object] = {
        "customer_id": "007",
        "version": " 2 ",
        "occurred_at_ms": "5",
        "customer_tier": "A",
        "zone": "",
        "reachable": "email;in-app",
        "attributes.size": "large",
        "contact.email": "wang@example.com",
    }
    read = parse_csv_row(row, record="customer")
    assert read.contact == ContactDetails(email="wang@example.com")
    assert isinstance(read.record, CustomerChanged)
    assert (read.record.customer_id, read.record.version, read.record.customer_tier) == ("007", 2, CustomerTier.A)
    assert read.record.reachable == (Channel.EMAIL, Channel.IN_APP)
    assert read.record.attributes == {"size": "large"}
    assert read.record.zone == ""


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param({"customer_id": "1", None: ["x"]}, "more cells than the header", id="too many"),
        pytest.param({"customer_id": "1", "version": None}, "ends before the column version", id="too few"),
        pytest.param({"attributes": "x", "attributes.y": "z"}, "given twice", id="twice"),
    ],
)
def test_a_row_of_another_length_is_refused(row: dict[str | None, object], said: str) -> None:
    with pytest.raises(InvalidRecord, match=said):
        parse_csv_row(row, record="customer")


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_nasty_names_survive_a_line(name: str) -> None:
    record = a_contract(product_name=name)
    line = to_json_line(record)
    assert "\n" not in line
    assert parse_json_line(line).record == record


def test_a_line_leaves_defaults_out() -> None:
    assert "segment" not in to_json_line(a_customer())
    assert '"zone": "Asia/Shanghai"' in to_json_line(a_customer())
