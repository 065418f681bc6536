"""Laws of the core under changing policies, stops, and receipts that are late, repeated, foreign or forged (S02)."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.explain import explain
from processors.given import Rejudge
from schemas.events import ReceiptGiven
from schemas.identity import ContractId, StepName, TouchKey, touch_key
from schemas.outputs import SendTouch
from schemas.vocabulary import Channel, Outcome, ReceiptReason
from tests.properties.histories import END_MS, Happening, delays, histories, instants
from tests.properties.test_step_laws import MANY, World
from tests.unit.processors.story import CLOSING, policies_of, receipt_for

T7 = "  - { name: t7, days: 7, channel: email, template: renewal }\n"
POLICIES = (
    CLOSING,
    CLOSING.replace("days: 7, channel", "days: 8, channel"),
    CLOSING.replace("name: t3,", "name: d3,"),
    CLOSING.replace(T7, ""),
    CLOSING.replace('"09:00"', '"10:30"'),
    CLOSING.replace("default_zone: Asia/Shanghai", "default_zone: America/New_York"),
    CLOSING.replace("working_days: [1, 2, 3, 4, 5]", "working_days: [6]"),
)
STOP, START = len(POLICIES), len(POLICIES) + 1
REFUSALS = ((Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_BUSY), (Outcome.REFUSED, ReceiptReason.FENCED))


class Adversary(World):
    """A world in which operators change their minds and somebody makes up receipts."""

    def __init__(self, happenings: list[Happening], seed: int, wait_ms: int, changes: list[tuple[int, int]]) -> None:
        super().__init__(happenings, seed, wait_ms)
        self.changes = sorted(changes)
        self.luck = random.Random(seed)

    def _arrive(self, now_ms: int) -> None:
        while self.changes and self.changes[0][0] <= now_ms:
            self._change(self.changes.pop(0)[1])
        super()._arrive(now_ms)
        if self.story.commands and self.luck.random() < 1 / 3:
            self._forge(self.luck.choice(self.story.commands))

    def _change(self, which: int) -> None:
        known = self.story.policies
        if which == STOP:
            self.story.policies = known.stopped(Channel.EMAIL)
        elif which == START:
            self.story.policies = known.started(Channel.EMAIL)
        else:
            self.story.policies = replace(policies_of(POLICIES[which], known.number + 1), stops=known.stops)
        if self.story.state is not None:
            self.story.take(Rejudge())

    def _forge(self, command: SendTouch) -> None:
        before = self.story.state
        for report in self._forgeries(receipt_for(command, *self.luck.choice(REFUSALS))):
            self.story.take(report)
        assert self.story.state is before

    def _forgeries(self, report: ReceiptGiven) -> tuple[ReceiptGiven, ...]:
        return (
            replace(report, revision=report.revision + 99),
            replace(report, revision=-1, touch_key=_key_of(report, -1), outcome=Outcome.ACCEPTED),
            replace(report, attempt=report.attempt + 99),
            replace(report, attempt=0),
            replace(report, touch_key=TouchKey("a|b|c|email|0")),
            replace(report, channel=Channel.SMS),
            replace(report, contract_id=ContractId("k-77")),
            replace(report, step=StepName("t1")),
        )


@given(histories(), st.integers(1, 999), delays(), st.lists(st.tuples(instants(), st.integers(0, START)), max_size=4))
@settings(MANY)
def test_s02_whatever_operators_and_forgers_do_nothing_is_sent_twice_or_left_out_for_ever(
    happenings: list[Happening], seed: int, wait_ms: int, changes: list[tuple[int, int]]
) -> None:
    world = Adversary(happenings, seed, wait_ms, changes)
    story = world.live_fast(until_ms=END_MS + 40 * 86_400_000).story
    assert story.state is not None
    assert story.state.outstanding == 0
    groups = Counter((one.contract_id, one.term_id, one.step) for _, one in world.accepted)
    assert max(groups.values(), default=0) <= 1
    assert not [key for key in story.standing if key.startswith(("withdrawn|", "paid|"))]
    assert explain(story.state, story.decisions, story.policies, story.now_ms).lines()


def _key_of(report: ReceiptGiven, revision: int) -> TouchKey:
    return touch_key(report.contract_id, report.term_id, report.step, report.channel.value, revision)
