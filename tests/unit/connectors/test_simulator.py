"""The simulator's faults: the same for the same seed and call, rules first."""

from collections import Counter

import pytest

from connectors.simulators.faults import Drawn, Fault, parse_faults


def draw(text: str, *, seed: int = 1, call: int = 1, key: str = "k") -> Drawn:
    return parse_faults(seed=seed, chances=text).draw(key=key, attempt=1, call=call, recipient="a@example.com")


def test_the_same_seed_and_call_draw_the_same_fault() -> None:
    drawn = [[draw("busy=0.5", seed=seed, key=f"k{number}") for number in range(50)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_faults_come_as_often_as_asked() -> None:
    counted = Counter(draw("busy=0.2,drop=0.1", key=f"k{number}").fault for number in range(2_000))
    assert 300 < counted[Fault.BUSY] < 500
    assert 120 < counted[Fault.DROP] < 280
    assert counted[Fault.NONE] > 1_200


def test_a_rule_for_a_recipient_wins() -> None:
    faults = parse_faults(seed=1, chances="busy=1", rules=("bad@.*=refuse", "slow@.*=slow:250"))
    assert faults.draw(key="k", attempt=1, call=1, recipient="bad@example.com") == Drawn(Fault.REFUSE)
    assert faults.draw(key="k", attempt=1, call=1, recipient="slow@example.com") == Drawn(Fault.SLOW, 250)
    assert faults.draw(key="k", attempt=1, call=1, recipient="a@example.com") == Drawn(Fault.BUSY)


def test_an_unknown_fault_is_a_slip() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        parse_faults(seed=1, chances="nonsense=1")


@pytest.mark.parametrize("fault", list(Fault))
def test_only_some_faults_let_the_mail_through(fault: Fault) -> None:
    assert fault.is_accepted == (fault in {Fault.NONE, Fault.DROP, Fault.SLOW})
