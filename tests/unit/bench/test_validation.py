"""A run that did not do its work has no speed: each way of cutting a corner is named."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from processors.policies import Policies
from processors.state import CustomerState
from processors.step import step
from tests.bench.micro import preset_policies
from tests.bench.validation import Expected, failed_checks, failed_checks_of_real_step
from tests.bench.work import NOTHING_YET, Figures, fold, numbered, output
from tests.bench.workload import Fact, Workload

Outputs = list[tuple[str, int]]
FACTS = tuple(Workload(seed=5, records=1_500).facts())


def expected_of(facts: tuple[Fact, ...]) -> Expected:
    expected = Expected()
    for fact in facts:
        expected.add(fact)
    return expected


def worked(facts: tuple[Fact, ...]) -> tuple[Outputs, dict[str, Figures]]:
    """Do the work of a system under test."""
    states: dict[str, Figures] = {}
    outputs: Outputs = []
    for fact in facts:
        figures = states[fact.customer_id] = fold(states.get(fact.customer_id, NOTHING_YET), fact)
        said = output(figures, fact)
        if said is not None:
            outputs.append(numbered(said))
    return outputs, states


def test_a_complete_run_is_valid_whatever_the_order_of_its_topics() -> None:
    for facts in (FACTS, tuple(reversed(FACTS))):
        outputs, states = worked(facts)
        assert failed_checks(expected_of(FACTS), outputs, states) == ()


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        pytest.param(lambda outputs: outputs[:-1], "1 outputs lost", id="lost"),
        pytest.param(lambda outputs: [*outputs, outputs[-1]], "1 outputs doubled", id="doubled"),
        pytest.param(lambda outputs: [*outputs, ("nobody", 3)], "1 outputs invented", id="invented"),
        pytest.param(lambda outputs: list(reversed(outputs)), "out of order", id="reordered"),
    ],
)
def test_outputs_that_are_not_the_right_ones_void_a_run(cut: Callable[[Outputs], Outputs], told: str) -> None:
    outputs, states = worked(FACTS)
    assert told in "; ".join(failed_checks(expected_of(FACTS), cut(outputs), states))


def test_a_state_that_missed_a_record_voids_a_run() -> None:
    outputs, states = worked(FACTS)
    customer, figures = next(iter(states.items()))
    states[customer] = replace(figures, records=figures.records - 1)
    assert failed_checks(expected_of(FACTS), outputs, states) == ("1 wrong states",)
    del states[customer]
    assert failed_checks(expected_of(FACTS), outputs, states) == ("1 wrong states",)


def applied(facts: tuple[Fact, ...], policies: Policies) -> dict[str, CustomerState]:
    states: dict[str, CustomerState] = {}
    for fact in facts:
        states[fact.customer_id] = step(states.get(fact.customer_id), fact, policies, 0).state
    return states


def test_the_real_core_on_all_facts_is_valid_and_on_all_but_one_contract_is_not() -> None:
    policies = preset_policies()
    expected, states = expected_of(FACTS), applied(FACTS, policies)
    assert failed_checks_of_real_step(expected, states, dead_letters=0) == ()
    assert failed_checks_of_real_step(expected, states, dead_letters=2) == ("2 dead letters",)
    customer = next(customer for customer, state in states.items() if any(term.facts for term in state.terms))
    states[customer] = replace(states[customer], terms=())
    assert failed_checks_of_real_step(expected, states, dead_letters=0) == ("1 wrong states",)
