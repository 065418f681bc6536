"""Contacts at rest: readable in their place with their key, and nowhere else (S09); rows split before they are sent."""

from pathlib import Path
from typing import TypedDict

import pytest

from connectors.contacts.crypto import ContactUnreadable, MasterKey, new_data_key, new_master_key
from connectors.contacts.master_key import master_key_from
from connectors.contacts.sealing import ContactSealer, split_contact
from connectors.settings import ConnectorSettings
from schemas.codec import packaged_codec
from schemas.errors import ExitError, InvalidRecord

MASTER = MasterKey(key_id="m", octets=b"m" * 32)


class Place(TypedDict):
    """Where a value belongs."""

    customer_id: str
    name: str
    version: int


PLACE: Place = {"customer_id": "c-1", "name": "email", "version": 3}


def test_a_value_reads_in_its_place() -> None:
    key = new_data_key()
    assert key.open(key.seal("anna@d.com", **PLACE), **PLACE) == "anna@d.com"


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(customer_id="c-2", name="email", version=3),
        Place(customer_id="c-1", name="phone", version=3),
        Place(customer_id="c-1", name="email", version=4),
    ],
)
def test_a_value_moved_elsewhere_does_not_read(elsewhere: Place) -> None:
    key = new_data_key()
    sealed = key.seal("anna@d.com", **PLACE)
    with pytest.raises(ContactUnreadable):
        key.open(sealed, **elsewhere)


def test_places_that_look_alike_when_joined_differ() -> None:
    key = new_data_key()
    sealed = key.seal("x", customer_id="c-1a", name="b", version=1)
    with pytest.raises(ContactUnreadable):
        key.open(sealed, customer_id="c-1", name="ab", version=1)


@pytest.mark.parametrize("damage", [b"", b"x", b"x" * 12, b"x" * 40])
def test_damaged_bytes_do_not_read(damage: bytes) -> None:
    with pytest.raises(ContactUnreadable):
        new_data_key().open(damage, **PLACE)


def test_a_data_key_is_wrapped_for_one_customer() -> None:
    wrapped = MASTER.wrap(new_data_key(), customer_id="c-1")
    MASTER.unwrap(wrapped, customer_id="c-1")
    with pytest.raises(ContactUnreadable):
        MASTER.unwrap(wrapped, customer_id="c-2")


def test_a_sealed_contact_holds_nothing_in_clear() -> None:
    sealed = ContactSealer(master=MASTER).seal(
        customer_id="c-1", version=1, occurred_at_ms=0, event_id="e", fields={"name": "Canary", "email": ""}
    )
    octets = packaged_codec().encode(sealed.contact) + packaged_codec().encode(sealed.key)
    assert b"Canary" not in octets
    assert set(sealed.contact.fields) == {"name"}
    assert sealed.contact.key_id == sealed.key.key_id
    assert "Canary" not in repr(sealed)


def test_keys_do_not_show_when_printed() -> None:
    assert "mmm" not in repr(MASTER)
    assert "octets" not in repr(new_data_key())


def test_a_row_is_parted_from_its_contact() -> None:
    row = {"customer_id": "c-1", "contact": {"name": "Anna", "phone": None}}
    assert split_contact(row) == ({"customer_id": "c-1"}, {"name": "Anna"})
    assert split_contact({"customer_id": "c-1"}) == ({"customer_id": "c-1"}, {})


@pytest.mark.parametrize("contact", ["anna@d.com", {"nickname": "A"}, {"email": 7}, {"name": "x" * 1_001}])
def test_a_contact_of_another_shape_is_refused_without_being_quoted(contact: object) -> None:
    with pytest.raises(InvalidRecord) as refusal:
        split_contact({"contact": contact})
    assert "anna@d.com" not in str(refusal.value)


def settings(**changes: object) -> ConnectorSettings:
    return ConnectorSettings.model_validate({"bootstrap_servers": "x", "redis_url": "x", **changes})


def test_the_master_key_comes_from_a_setting_or_a_file(tmp_path: Path) -> None:
    text = new_master_key()
    file = tmp_path / "key"
    file.write_text(text + "\n")
    assert master_key_from(settings(master_key=text)) == master_key_from(settings(master_key_file=file))
    assert text not in repr(settings(master_key=text))


@pytest.mark.parametrize("changes", [{}, {"master_key": "short"}, {"master_key_file": "nowhere"}])
def test_a_missing_master_key_says_what_to_do(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERENNIAL_MASTER_KEY", raising=False)
    with pytest.raises(ExitError, match="PERENNIAL_MASTER_KEY_FILE"):
        master_key_from(settings(**changes))
