"""What a replay says of each touch: released, or not and why."""

import pytest

from connectors.queries.rehearsal import Answer
from deploy.replaying import spelled_answer
from schemas.vocabulary import Reason, Verdict
from tests.builders import a_decision

REOPENED = a_decision(verdict=Verdict.REOPENED, reason=Reason.OPERATOR_REQUEST)
DECLINED = a_decision(verdict=Verdict.DECLINED, reason=Reason.PAID)
RELEASED = a_decision(verdict=Verdict.RELEASED, reason=Reason.DUE)
SUPPRESSED = a_decision(verdict=Verdict.SUPPRESSED, reason=Reason.UNSUBSCRIBED)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(touch_key="k", customer_id="c", answer=None, afterwards=None), "nobody answers"),
        (Answer(touch_key="k", customer_id="c", answer=DECLINED, afterwards=None), "declined: paid"),
        (Answer(touch_key="k", customer_id="c", answer=REOPENED, afterwards=None), "reopened, to be judged"),
        (Answer(touch_key="k", customer_id="c", answer=REOPENED, afterwards=RELEASED), "released: due"),
        (Answer(touch_key="k", customer_id="c", answer=REOPENED, afterwards=SUPPRESSED), "suppressed: unsubscribed"),
    ],
)
def test_each_answer_reads_well(answer: Answer, told: str) -> None:
    assert spelled_answer(answer, otherwise="nobody answers").startswith(told)
