"""What a call of the real `step` costs beside an empty one: for an input that changes nothing, for a judging wake."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import processors
from processors.given import Given, Wake
from processors.outcome import Step
from processors.policies import Policies
from processors.policy import content_hash
from processors.state import CustomerState
from processors.step import step
from schemas.events import ContractChanged, CustomerChanged, EngagementSeen, PolicyPublished
from schemas.identity import ContractId, CustomerId, EventId
from schemas.vocabulary import Channel, EngagementKind
from tests.bench.figures import Row
from tests.bench.workload import ZONES

MICRO = "step"
CUSTOMERS = 3_000
BEGIN_MS = 1_790_000_000_000
FIRST_EXPIRY = date(2027, 2, 1)
MOST_WAKES = 20
PRESET = Path(processors.__file__).with_name("presets") / "closing.yaml"
Case = tuple[CustomerState, Given, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Micro:
    """Median nanoseconds a call."""

    empty_ns: float = 0.0
    idle_ns: float = 0.0
    wake_ns: float = 0.0

    def rows(self) -> Iterator[Row]:
        """Give microseconds a call, and how many empty calls that is."""
        if not self.empty_ns:
            return
        for name, cost_ns in {"step_idle": self.idle_ns, "step_wake": self.wake_ns}.items():
            ratio = round(cost_ns / self.empty_ns, 1)
            empty_us = round(self.empty_ns / 1000, 3)
            yield Row(
                name=f"{name}_us",
                value=round(cost_ns / 1000, 2),
                unit="us",
                peer="empty_step",
                peer_value=empty_us,
                ratio=ratio,
            )


def measure_step() -> Micro:
    """Time `step` over distinct customers, each call once, so that nothing is remembered from the call before."""
    policies = preset_policies()
    idle = [_idle(number, policies) for number in range(CUSTOMERS)]
    wakes = [_judging_wake(number, policies) for number in range(CUSTOMERS, 2 * CUSTOMERS)]
    return Micro(
        empty_ns=_median_ns(_empty_step, idle, policies),
        idle_ns=_median_ns(step, idle, policies),
        wake_ns=_median_ns(step, wakes, policies),
    )


def preset_policies() -> Policies:
    """Put the packaged preset in force as number 1."""
    return Policies().published(preset_record())


def preset_record() -> PolicyPublished:
    """Give the record that publishes the packaged preset as number 1."""
    content = PRESET.read_text(encoding="utf-8")
    return PolicyPublished(
        event_id=EventId("policy-1"),
        number=1,
        published_at_ms=BEGIN_MS,
        content=content,
        content_hash=content_hash(content),
    )


def _empty_step(state: CustomerState, _given: Given, _policies: Policies, _now_ms: int) -> Step:
    return Step(state=state, alarm_at_ms=state.alarm_at_ms)


def _median_ns(
    call: Callable[[CustomerState, Given, Policies, int], Step], cases: Sequence[Case], policies: Policies
) -> float:
    took = []
    clock = time.perf_counter_ns
    for state, given, now_ms in cases:
        begun = clock()
        call(state, given, policies, now_ms)
        took.append(clock() - begun)
    return median(took)


def _idle(number: int, policies: Policies) -> Case:
    state = _customer(number, policies)
    seen = EngagementSeen(
        event_id=EventId("seen"), customer_id=state.customer_id, occurred_at_ms=BEGIN_MS, kind=EngagementKind.OPENED
    )
    return state, seen, BEGIN_MS


def _judging_wake(number: int, policies: Policies) -> Case:
    """Bring a customer to the wake that releases its first touch; the case is that wake, not yet made."""
    state = _customer(number, policies)
    for _ in range(MOST_WAKES):
        if state.alarm_at_ms is None:
            break
        now_ms = max(state.alarm_at_ms, BEGIN_MS)
        woken = step(state, Wake(), policies, now_ms)
        if woken.commands:
            return state, Wake(), now_ms
        state = woken.state
    raise AssertionError(f"customer {number} was never sent anything under {PRESET.name}")


def _customer(number: int, policies: Policies) -> CustomerState:
    customer_id = CustomerId(f"customer-{number}")
    zone = ZONES[number % len(ZONES)]
    known = CustomerChanged(
        event_id=EventId("known"),
        customer_id=customer_id,
        version=1,
        occurred_at_ms=BEGIN_MS,
        zone=zone,
        reachable=(Channel.EMAIL,),
    )
    expires_on = FIRST_EXPIRY + timedelta(days=number % 300)
    contract = ContractChanged(
        event_id=EventId("contract"),
        customer_id=customer_id,
        contract_id=ContractId(f"contract-{number}"),
        version=1,
        occurred_at_ms=BEGIN_MS,
        starts_on=expires_on - timedelta(days=364),
        expires_on=expires_on,
        term_id="term-1",
        product_name="Flow Suite",
        amount_minor=1_200_000,
        currency="CNY",
    )
    state = step(None, known, policies, BEGIN_MS).state
    return step(state, contract, policies, BEGIN_MS).state
