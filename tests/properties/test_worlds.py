"""The real `step`, judged by the oracle over random histories: two minds that never met must agree (L1, first form)."""

import pytest

from tests.oracle.healing import TINY
from tests.oracle.judgement import judge
from tests.oracle.outcomes import Ending
from tests.oracle.run import run_of
from tests.properties.worlds import World


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_finds_nothing_wrong_in_a_random_history(seed: int) -> None:
    judged = judge(run_of(World(seed).history()), TINY)
    assert judged.is_passed, [one for found in judged.violations.values() for one in found][:5]
    assert judged.balance[Ending.SENT] > 0
    assert judged.lateness.max == 0


def test_the_same_seed_is_the_same_history() -> None:
    assert World(7).history().topics == World(7).history().topics
