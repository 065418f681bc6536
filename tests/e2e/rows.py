"""Rows as a CRM would write them, for files that tests publish; keyword arguments change their fields."""

from datetime import date

Row = dict[str, object]

BORN = "2026-01-05T08:00:00Z"
ZONE = "Europe/Berlin"  # in winter its 09:00 is 08:00 UTC


def customer(customer_id: str, *, version: int = 1, **fields: object) -> Row:
    """A customer in Berlin with a nasty name and an address that tells who it is."""
    contact = {"name": f"Müller & Søn, 株式会社 {customer_id} 🎉", "email": address_of(customer_id)}
    born: Row = {"type": "customer", "customer_id": customer_id, "version": version, "occurred_at": BORN}
    return born | {"zone": ZONE, "locale": "en", "contact": contact} | fields


def contract(customer_id: str, expires_on: date, *, version: int = 1, **fields: object) -> Row:
    """The contract of a customer, `K-<customer>`, in its term T."""
    named: Row = {"type": "contract", "customer_id": customer_id, "contract_id": f"K-{customer_id}", "term_id": "T"}
    facts = {"starts_on": "2025-01-01", "expires_on": expires_on.isoformat(), "product_name": "R&D <Pro>"}
    price = {"amount_minor": 1_200_000, "currency": "EUR", "modules": 3}
    return named | {"version": version, "occurred_at": BORN} | facts | price | fields


def payment(customer_id: str, *, kind: str = "paid", **fields: object) -> Row:
    """A payment for the renewal of that term."""
    named: Row = {"type": "payment", "customer_id": customer_id, "contract_id": f"K-{customer_id}", "term_id": "T"}
    facts = {"payment_id": f"P-{customer_id}", "version": 1, "kind": kind, "occurred_at": BORN}
    return named | facts | {"amount_minor": 1_200_000, "currency": "EUR"} | fields


def request(customer_id: str, kind: str, **fields: object) -> Row:
    """A wish of a customer, such as `opted_out` or `erasure`."""
    return {"type": "request", "customer_id": customer_id, "kind": kind, "occurred_at": BORN} | fields


def address_of(customer_id: str) -> str:
    """Where the mails of a customer go."""
    return f"{customer_id.lower()}@mail.example"
