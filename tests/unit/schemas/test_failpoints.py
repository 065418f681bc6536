"""Failpoints: free when unset, exact when armed, and loud about a typo."""

from collections.abc import Iterator

import pytest

from schemas.failpoints import FailpointHit, FailpointUnknown, active, arm, failpoint


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm("")


def test_nothing_happens_unless_armed() -> None:
    arm("")
    failpoint("engine.before_commit")
    assert active() == ()


def test_an_effect_comes_at_its_pass_and_only_then() -> None:
    assert arm("engine.before_commit=raise@3, delivery.before_call=delay:1") == (
        "delivery.before_call",
        "engine.before_commit",
    )
    failpoint("engine.before_commit")
    failpoint("engine.before_commit")
    with pytest.raises(FailpointHit, match=r"engine\.before_commit"):
        failpoint("engine.before_commit")
    failpoint("engine.before_commit")
    failpoint("delivery.before_call")


@pytest.mark.parametrize("spec", ["engine.nowhere=kill", "engine.before_commit=explode", "engine.before_commit"])
def test_a_typo_is_told(spec: str) -> None:
    with pytest.raises(FailpointUnknown, match="write name=action"):
        arm(spec)
