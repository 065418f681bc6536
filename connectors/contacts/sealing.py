"""What ingestion does with a customer row: split off the contact and encrypt it (law 7)."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.contacts.crypto import MasterKey, new_data_key
from schemas.errors import InvalidRecord
from schemas.identity import CustomerId, EventId
from schemas.outputs import ContactChanged, ContactKeyWrapped

CONTACT_FIELDS = ("name", "company", "email", "phone")
LONGEST_FIELD_CHARACTERS = 1_000
_KEY_ID_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A contact and the wrapped key it needs: both are written in one transaction."""

    contact: ContactChanged
    key: ContactKeyWrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSealer:
    """Encrypts contacts under a fresh data key per version, wrapped by the master key of a region."""

    master: MasterKey
    region: str = "local"

    def seal(
        self,
        *,
        customer_id: str,
        version: int,
        occurred_at_ms: int,
        event_id: str,
        fields: Mapping[str, str],
        source: str = "",
    ) -> Sealed:
        """Encrypt the given fields; empty ones are left out."""
        key = new_data_key()
        wrapped = self.master.wrap(key, customer_id=customer_id)
        key_id = wrapped[-_KEY_ID_CHARACTERS // 2 :].hex()
        sealed = {
            name: key.seal(value, customer_id=customer_id, name=name, version=version)
            for name, value in fields.items()
            if value
        }
        return Sealed(
            contact=ContactChanged(
                event_id=EventId(event_id),
                customer_id=CustomerId(customer_id),
                version=version,
                occurred_at_ms=occurred_at_ms,
                key_id=key_id,
                fields=sealed,
                source=source,
            ),
            key=ContactKeyWrapped(
                customer_id=CustomerId(customer_id),
                key_id=key_id,
                region=self.region,
                master_key_id=self.master.key_id,
                wrapped_key=wrapped,
                created_at_ms=occurred_at_ms,
            ),
        )


def split_contact(row: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Part a customer row from its `contact`; raises InvalidRecord, which names the field and never its content."""
    rest = {name: value for name, value in row.items() if name != "contact"}
    contact = row.get("contact")
    if contact is None:
        return rest, {}
    if not isinstance(contact, Mapping):
        raise InvalidRecord("contact: must be an object with name, company, email, phone")
    fields = {}
    for name, value in contact.items():
        if name not in CONTACT_FIELDS:
            raise InvalidRecord(f"contact: there is no field {str(name)[:40]!r}")
        if value is not None:
            fields[name] = _checked(name, value)
    return rest, fields


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRecord(f"contact.{name}: must be text")
    if len(value) > LONGEST_FIELD_CHARACTERS:
        raise InvalidRecord(f"contact.{name}: longer than {LONGEST_FIELD_CHARACTERS} characters")
    return value
