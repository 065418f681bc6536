"""A dry run: what the state would answer, found by the same pure step on a copy of the state."""

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.queries.decisions import Group
from processors.given import Given, Wake
from processors.policies import Policies
from processors.state import CustomerState
from processors.step import step
from schemas.events import RequestMade
from schemas.identity import touch_parts
from schemas.outputs import DecisionMade
from schemas.vocabulary import Verdict

_ANSWERS = frozenset({Verdict.DECLINED, Verdict.REOPENED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one touch that somebody asked to have judged again."""

    touch_key: str
    customer_id: str
    answer: DecisionMade | None
    afterwards: DecisionMade | None

    @property
    def is_released(self) -> bool:
        """Whether a command left, or would leave."""
        return self.afterwards is not None and self.afterwards.verdict is Verdict.RELEASED


def rehearse(
    state: CustomerState, requests: Iterable[RequestMade], policies: Policies, now_ms: int
) -> tuple[DecisionMade, ...]:
    """The decisions that these requests would lead to at the next tick; nothing is changed anywhere."""
    decisions: list[DecisionMade] = []
    occasions: list[Given] = [*requests, Wake()]
    for given in occasions:
        answered = step(state, given, policies, now_ms)
        state = answered.state
        decisions += answered.decisions
    return tuple(decisions)


def answer_to(touch_key: str, customer_id: str, decisions: Iterable[DecisionMade]) -> Answer:
    """Pick the answer to one touch from the decisions that followed its request."""
    answer = afterwards = None
    group = group_of(touch_key)
    for one in decisions:
        if Group(one.contract_id, one.term_id, one.step) != group:
            continue
        if one.verdict in _ANSWERS:
            answer, afterwards = one, None
        elif answer is not None and afterwards is None:
            afterwards = one
    return Answer(touch_key=touch_key, customer_id=customer_id, answer=answer, afterwards=afterwards)


def group_of(touch_key: str) -> Group:
    """The contract, term and step that a touch belongs to, whatever its channel and revision."""
    contract_id, term_id, name, _channel, _revision = touch_parts(touch_key)
    return Group(contract_id, term_id, name)
