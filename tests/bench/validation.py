"""Whether a run did its work: its outputs and states against what the published facts call for; void if not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from processors.state import CustomerState
from schemas.events import ContractChanged, CustomerChanged, PaymentRecorded
from tests.bench.work import OUTPUT_EVERY, ContractFigures, Figures
from tests.bench.workload import Fact


@dataclass(slots=True)
class Expected:
    """What a complete run must leave behind, computed from the facts alone and not by the code under test."""

    records: dict[str, int] = field(default_factory=dict)
    last_at_ms: dict[str, int] = field(default_factory=dict)
    paid_minor: dict[str, int] = field(default_factory=dict)
    contracts: dict[str, dict[str, tuple[int, int, int]]] = field(default_factory=dict)
    payments: dict[str, set[str]] = field(default_factory=dict)
    known_to_crm: dict[str, int] = field(default_factory=dict)

    def add(self, fact: Fact) -> None:
        """Take one published fact into account."""
        who = fact.customer_id
        self.records[who] = self.records.get(who, 0) + 1
        self.last_at_ms[who] = max(self.last_at_ms.get(who, 0), fact.occurred_at_ms)
        if isinstance(fact, CustomerChanged):
            self.known_to_crm[who] = max(self.known_to_crm.get(who, 0), fact.version)
        if isinstance(fact, PaymentRecorded):
            self.paid_minor[who] = self.paid_minor.get(who, 0) + fact.amount_minor
            self.payments.setdefault(who, set()).add(fact.payment_id)
        if isinstance(fact, ContractChanged):
            version = (fact.version, fact.expires_on.toordinal(), fact.amount_minor)
            mine = self.contracts.setdefault(who, {})
            mine[fact.contract_id] = max(mine.get(fact.contract_id, version), version)

    def outputs(self) -> int:
        """Count the outputs of a complete run."""
        return sum(records // OUTPUT_EVERY for records in self.records.values())

    def figures(self, customer_id: str) -> Figures:
        """Give the state that a customer must end in."""
        contracts = {key: ContractFigures(*value) for key, value in self.contracts.get(customer_id, {}).items()}
        return Figures(
            self.records.get(customer_id, 0),
            self.last_at_ms.get(customer_id, 0),
            self.paid_minor.get(customer_id, 0),
            contracts,
        )


def failed_checks(
    expected: Expected, outputs: Iterable[tuple[str, int]], states: Mapping[str, Figures]
) -> tuple[str, ...]:
    """Name every check that a run of the counting work fails, with counts; empty when the run is valid.

    Args:
        expected: what was published.
        outputs: (customer, number) of every committed output, in the order of its partition.
        states: the last changelog row of every customer.
    """
    everybody = expected.records.keys() | states.keys()
    wrong = sum(states.get(customer_id) != expected.figures(customer_id) for customer_id in everybody)
    return _said({**_judge_outputs(expected, outputs), "wrong states": wrong})


def failed_checks_of_real_step(
    expected: Expected, states: Mapping[str, CustomerState], dead_letters: int
) -> tuple[str, ...]:
    """Name every check that a run of the real `step` fails: newest versions, payments, nothing refused."""
    customers = expected.known_to_crm.keys() | expected.contracts.keys() | expected.payments.keys()
    wrong = sum(customer_id not in states or _differs(expected, states[customer_id]) for customer_id in customers)
    return _said({"wrong states": wrong, "dead letters": dead_letters})


def _said(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(f"{count} {what}" for what, count in counts.items() if count)


def _judge_outputs(expected: Expected, outputs: Iterable[tuple[str, int]]) -> dict[str, int]:
    seen: set[tuple[str, int]] = set()
    newest: dict[str, int] = {}
    doubled = reordered = invented = 0
    for customer_id, number in outputs:
        if (customer_id, number) in seen:
            doubled += 1
            continue
        seen.add((customer_id, number))
        invented += number % OUTPUT_EVERY != 0 or not 0 < number <= expected.records.get(customer_id, 0)
        reordered += number < newest.get(customer_id, 0)
        newest[customer_id] = max(number, newest.get(customer_id, 0))
    return {
        "outputs lost": expected.outputs() - (len(seen) - invented),
        "outputs doubled": doubled,
        "outputs out of order": reordered,
        "outputs invented": invented,
    }


def _differs(expected: Expected, state: CustomerState) -> bool:
    who = state.customer_id
    versions = {term.contract_id: term.facts.version for term in state.terms if term.facts}
    payments = {payment.payment_id for term in state.terms for payment in term.payments}
    version = state.customer.version if state.customer else 0
    return (
        versions != {contract: version for contract, (version, *_) in expected.contracts.get(who, {}).items()}
        or payments != expected.payments.get(who, set())
        or version != expected.known_to_crm.get(who, 0)
    )
