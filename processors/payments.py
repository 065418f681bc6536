"""Payments: which of them count, and whether the renewal of a term is paid in full."""

from msgspec.structs import replace

from processors.draft import Draft
from processors.state import Payment, Term
from schemas.errors import InvalidRecord
from schemas.events import PaymentRecorded
from schemas.vocabulary import PaymentKind


def take_payment(draft: Draft, record: PaymentRecorded) -> None:
    """Note a payment under the term it renews, known yet or not; the highest version of a payment id counts (R41).

    Raises:
        InvalidRecord: no contract, term or payment is named, or its kind cannot be read.
    """
    if not (record.contract_id and record.term_id and record.payment_id) or record.version < 0:
        raise InvalidRecord(f"payment {record.payment_id!r} names no contract, term or version: correct it in billing")
    if record.kind is PaymentKind.UNSPECIFIED:
        raise InvalidRecord(f"payment {record.payment_id!r} is of a kind this release cannot read: is it paid?")
    term = draft.term(record.contract_id, record.term_id) or Term(
        contract_id=record.contract_id, term_id=record.term_id
    )
    earlier = next((payment for payment in term.payments if payment.payment_id == record.payment_id), None)
    payment = Payment(
        payment_id=record.payment_id,
        version=record.version,
        occurred_at_ms=record.occurred_at_ms,
        kind=record.kind,
        amount_minor=record.amount_minor,
        currency=record.currency,
    )
    if earlier is None or _rank(payment) > _rank(earlier):
        others = [other for other in term.payments if other is not earlier]
        payments = tuple(sorted([*others, payment], key=_payment_id))
        draft.put(replace(term, payments=payments))


def is_settled(term: Term) -> bool:
    """Whether the renewal is paid: by one payment in full, or by parts that reach the amount in its currency."""
    if not term.payments:
        return False
    if any(payment.kind is PaymentKind.PAID for payment in term.payments):
        return True
    facts = term.facts
    if facts is None or facts.amount_minor <= 0:
        return False
    return facts.amount_minor <= sum(
        payment.amount_minor
        for payment in term.payments
        if payment.kind is PaymentKind.PARTIAL and payment.currency == facts.currency
    )


def _rank(payment: Payment) -> tuple[int, bool, int, str, int, str]:
    # two contents under one version: "paid" is the safer one, the rest only has to be the same in every order
    is_paid = payment.kind is PaymentKind.PAID
    return payment.version, is_paid, payment.occurred_at_ms, payment.kind, payment.amount_minor, payment.currency


def _payment_id(payment: Payment) -> str:
    return payment.payment_id
