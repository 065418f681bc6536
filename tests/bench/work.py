"""What every system under test does with a record: decode it, fold it into its customer's figures, speak at a third.

Ours and the peers import this one module, so that decoding, state content and encoding, and outputs are the same work.
"""

from collections.abc import Callable

import msgspec

from schemas import topics
from schemas.codec import packaged_codec
from schemas.events import ContractChanged, CustomerChanged, EngagementSeen, PaymentRecorded, ReceiptGiven
from schemas.identity import ContractId, CustomerId, StepName, TermId, TouchKey
from schemas.outputs import DecisionMade
from schemas.vocabulary import Channel, EngagementKind, Reason, Verdict
from tests.bench.workload import Fact

OUTPUT_EVERY = 3


class ContractFigures(msgspec.Struct, frozen=True, array_like=True):
    """What the newest version of a contract says; `expires_on` is a proleptic day number."""

    version: int
    expires_on: int
    amount_minor: int


class Figures(msgspec.Struct, frozen=True, array_like=True):
    """The state of one customer: the same content for every system."""

    records: int = 0
    last_at_ms: int = 0
    paid_minor: int = 0
    contracts: dict[str, ContractFigures] = msgspec.field(default_factory=dict)


NOTHING_YET = Figures()
_codec = packaged_codec()
DECODERS: dict[str, Callable[[bytes | None], Fact]] = {
    topics.CUSTOMER: _codec.decoder(CustomerChanged),
    topics.CONTRACT: _codec.decoder(ContractChanged),
    topics.PAYMENT: _codec.decoder(PaymentRecorded),
    topics.ENGAGEMENT: _codec.decoder(EngagementSeen),
}
encode_decision = _codec.encoder(DecisionMade)
decode_decision = _codec.decoder(DecisionMade)
encode_figures = msgspec.msgpack.Encoder().encode
decode_figures = msgspec.msgpack.Decoder(Figures).decode


def fold(figures: Figures, fact: Fact) -> Figures:
    """Count a fact; repeats count again, so every lost or doubled record shows."""
    paid_minor, contracts = figures.paid_minor, figures.contracts
    if type(fact) is PaymentRecorded:
        paid_minor += fact.amount_minor
    elif type(fact) is ContractChanged:
        contracts = _with_contract(contracts, fact)
    at_ms = fact.occurred_at_ms
    last_at_ms = at_ms if at_ms > figures.last_at_ms else figures.last_at_ms  # noqa: FURB136  a call costs more
    return Figures(figures.records + 1, last_at_ms, paid_minor, contracts)


def output(figures: Figures, fact: Fact) -> bytes | None:
    """Give the decision that a customer's every third record calls for, naming its count and the record behind it."""
    if figures.records % OUTPUT_EVERY:
        return None
    return encode_decision(
        DecisionMade(
            touch_key=TouchKey(f"{fact.customer_id}/{figures.records}"),
            customer_id=fact.customer_id,
            contract_id=ContractId(""),
            term_id=TermId(""),
            step=StepName(""),
            channel=Channel.EMAIL,
            revision=0,
            verdict=Verdict.HELD,
            reason=Reason.DUE,
            decided_at_ms=fact.occurred_at_ms,
            policy_number=1,
            detail=fact.event_id,
        )
    )


def counted(receipt: ReceiptGiven) -> EngagementSeen:
    """Give a receipt the shape of a fact: here it counts like any other record."""
    return EngagementSeen(
        event_id=receipt.event_id,
        customer_id=receipt.customer_id,
        occurred_at_ms=receipt.reported_at_ms,
        kind=EngagementKind.UNSPECIFIED,
    )


def numbered(value: bytes) -> tuple[CustomerId, int]:
    """Read from an output whose it is and at which of the customer's records it was said."""
    customer_id, _, number = decode_decision(value).touch_key.rpartition("/")
    return CustomerId(customer_id), int(number)


def _with_contract(contracts: dict[str, ContractFigures], fact: ContractChanged) -> dict[str, ContractFigures]:
    known = contracts.get(fact.contract_id)
    if known is not None and known.version >= fact.version:
        return contracts
    figures = ContractFigures(fact.version, fact.expires_on.toordinal(), fact.amount_minor)
    return {**contracts, fact.contract_id: figures}
