"""Laws of the core, over random histories of one customer: what may never happen, and what must not matter."""

import random
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.calendar import WEEK_MS, local_day
from processors.given import Given, Quarantined, Rejudge, Released, Wake
from processors.state import AT_A_CHANNEL, CustomerState, Stage, Term, encode_state
from processors.step import step
from schemas.events import ContractChanged, PaymentRecorded
from schemas.identity import ContractId, PaymentId, StepName, TermId
from schemas.outputs import SendTouch
from schemas.vocabulary import Channel, Outcome, Reason, ReceiptReason, RequestKind, Verdict
from tests.builders import a_contract, a_customer, a_payment, a_request, ms
from tests.properties.histories import (
    ANSWERS,
    BEGIN_MS,
    CONTRACTS,
    END_MS,
    GRID_MS,
    Happening,
    contracts,
    delays,
    histories,
    instants,
    versioned,
)
from tests.unit.processors.story import CLOSING, Story, policies_of, receipt_for

# silence is noticed on the grid on which these histories run
POLICIES = policies_of(CLOSING.replace("call_timeout_ms: 60000", f"call_timeout_ms: {GRID_MS}"))
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # histories run for a while: a failure is shown as drawn
RUNS = settings(deadline=None, derandomize=True, phases=UNSHRUNK, suppress_health_check=list(HealthCheck))
FEW = settings(RUNS, max_examples=15)
MANY = settings(RUNS, max_examples=100)


ENDS = frozenset({Verdict.SENT, Verdict.SUPPRESSED, Verdict.SKIPPED, Verdict.EXPIRED, Verdict.DEAD_LETTERED})


class World:
    """A story beside a channel that obeys fences and reports as the seed says."""

    def __init__(self, happenings: list[Happening], seed: int, wait_ms: int) -> None:
        self.story = Story(now_ms=BEGIN_MS, policies=POLICIES)
        self.happenings = list(happenings)
        self.seed = seed
        self.wait_ms = wait_ms
        self.under_way: list[tuple[int, SendTouch]] = []
        self.accepted: list[tuple[int, SendTouch]] = []

    def live(self, *, is_dense: bool) -> "World":
        """Run to the end, waking at every instant of the grid or only at alarms."""
        for now_ms in range(BEGIN_MS, END_MS, GRID_MS):
            self._arrive(now_ms)
            if is_dense and self.story.state is not None:
                self.story.state = _with_everything_due(self.story.state)
                self._wake(now_ms)
            elif self.story.alarm_at_ms is not None and self.story.alarm_at_ms <= now_ms:
                self._wake(now_ms)
        return self

    def live_fast(self, *, from_ms: int = BEGIN_MS, until_ms: int = END_MS) -> "World":
        """Run on from one event to the next."""
        now_ms = from_ms
        while now_ms < until_ms:
            self._arrive(now_ms)
            if self.story.alarm_at_ms is not None and self.story.alarm_at_ms <= now_ms:
                self._wake(now_ms)
            ahead = [self.story.alarm_at_ms] if self.story.alarm_at_ms is not None else []
            ahead += [due for due, _ in self.under_way] + [one.at_ms for one in self.happenings[:1]]
            now_ms = max(now_ms + GRID_MS, min(ahead, default=until_ms))
        return self

    def _wake(self, now_ms: int) -> None:
        for command in self.story.wake(now_ms).commands:
            if self._drawn(command) is not None:
                self.under_way.append((now_ms + self.wait_ms, command))

    def _arrive(self, now_ms: int) -> None:
        self.story.now_ms = now_ms  # the watermark moves on, whoever is woken
        while self.happenings and self.happenings[0].at_ms <= now_ms:
            self.story.take(self.happenings.pop(0).given)
        for report in [one for one in self.under_way if one[0] <= now_ms]:
            self.under_way.remove(report)
            self._report(now_ms, report[1])

    def _report(self, now_ms: int, command: SendTouch) -> None:
        drawn = self._drawn(command)
        assert drawn is not None
        if self.story.is_fenced(command):
            drawn = (Outcome.REFUSED, ReceiptReason.FENCED)
        elif now_ms >= command.send_by_at_ms:
            drawn = (Outcome.REFUSED, ReceiptReason.PAST_SEND_BY)
        elif drawn[0] is Outcome.ACCEPTED:
            self.accepted.append((now_ms, command))
        self.story.take(receipt_for(command, *drawn))

    def _drawn(self, command: SendTouch) -> tuple[Outcome, ReceiptReason] | None:
        luck = random.Random(f"{self.seed}|{command.touch_key}|{command.attempt}")
        return luck.choice(ANSWERS) if self.seed else ANSWERS[0]


def _with_everything_due(state: CustomerState) -> CustomerState:
    terms = tuple(replace(term, alarm_at_ms=0) for term in state.terms)
    return replace(state, terms=terms, alarm_at_ms=0)


worlds = st.builds(World, histories(), st.integers(0, 50), delays())


@given(histories(), st.integers(0, 50), delays())
@FEW
def test_one_alarm_suffices(happenings: list[Happening], seed: int, wait_ms: int) -> None:
    dense = World(happenings, seed, wait_ms).live(is_dense=True)
    sparse = World(happenings, seed, wait_ms).live(is_dense=False)
    assert sparse.story.commands == dense.story.commands
    assert sparse.story.decisions == dense.story.decisions


@given(worlds)
@MANY
def test_nothing_is_accepted_twice_or_out_of_order(world: World) -> None:
    world.live_fast()
    assert max(Counter(_group(command) for _, command in world.accepted).values(), default=0) <= 1
    days = defaultdict(list)
    for _, command in world.accepted:
        days[command.contract_id, command.term_id, command.expires_on].append(int(command.step[1:]))
    assert all(earlier > later for steps in days.values() for earlier, later in pairwise(steps))


@given(worlds)
@MANY
def test_caps_hold_in_every_local_day_and_every_sliding_period(world: World) -> None:
    world.live_fast()
    zones = {one.zone for one in world.story.commands}
    sent = sorted((command.decided_at_ms, command) for _, command in world.accepted)
    for at_ms, command in sent:
        if command.step != "t0" and len(zones) == 1:
            before = [one for past_ms, one in sent if at_ms - WEEK_MS < past_ms <= at_ms]
            today = [one for one in before if _day(one) == _day(command)]
            assert len(before) <= 3 or any(one.step == "t0" for one in before)
            assert len(today) <= 1 or any(one.step == "t0" for one in today)


@given(worlds)
@MANY
def test_a_new_revision_follows_a_withdrawal_and_an_attempt_a_definite_refusal(world: World) -> None:
    story = world.live_fast().story
    told = defaultdict(list)
    for one in story.decisions:
        told[one.contract_id, one.term_id, one.step].append(one)
    for command in story.commands:
        earlier = [one for one in told[_group(command)] if one.decided_at_ms <= command.decided_at_ms]
        if command.attempt > 1:
            ends = {Verdict.RETRIED, Verdict.WITHDRAWN, Verdict.DEAD_LETTERED, Verdict.SUPPRESSED}
            same = [one for one in earlier if (one.revision, one.attempt) == (command.revision, command.attempt - 1)]
            assert any(one.verdict in ends for one in same)
        elif command.revision:
            past = [one for one in earlier if one.revision == command.revision - 1]
            assert any((one.verdict, one.reason) == (Verdict.WITHDRAWN, Reason.NOT_SENT) for one in past)


@given(worlds)
@MANY
def test_every_due_touch_comes_to_an_end(world: World) -> None:
    story = world.live_fast().story
    at_rest = ENDS | {Verdict.UNKNOWN}
    state = story.state
    assert state is not None
    for term in state.terms:
        if term.facts is not None and not term.is_retired:
            assert {touch.step for touch in term.touches} == {"t90", "t30", "t7", "t3", "t0"}
            for touch in term.touches:
                assert touch.verdict in at_rest or touch.reason is Reason.QUARANTINED
    assert all(touch.stage not in AT_A_CHANNEL for term in state.terms for touch in term.touches)


@given(worlds, contracts(), st.sampled_from([Channel.EMAIL, Channel.SMS]))
@MANY
def test_an_outcome_stays_once_its_window_is_closed(world: World, late: ContractChanged, channel: Channel) -> None:
    story = world.live_fast().story
    story.now_ms, told = END_MS, len(story.decisions)
    corrected = replace(late, version=9, expires_on=date(2026, 6, 30))
    story.take(corrected, a_customer(version=9, zone="Asia/Shanghai", reachable=(channel,)), a_payment(version=9))
    story.run(END_MS + 4 * WEEK_MS)
    last = {(one.contract_id, one.step): one.verdict for one in story.decisions[:told]}
    known = {step for step, verdict in last.items() if verdict in ENDS}
    changed = [one for one in story.decisions[told:] if (one.contract_id, one.step) in known]
    assert [(one.step, one.verdict.value, one.reason.value) for one in changed] == []


@given(worlds)
@MANY
def test_rejudging_under_the_same_policy_changes_nothing(world: World) -> None:
    story = world.live_fast().story
    state = story.state
    assert state is not None
    again = Story(now_ms=END_MS, policies=POLICIES)
    again.state = state
    assert again.take(Rejudge()).state is state, "republishing changes nothing"
    assert again.decisions == []


@given(st.lists(versioned(), min_size=1, max_size=7), st.randoms(use_true_random=False))
@MANY
def test_any_order_with_repeats_reaches_one_state(records: list[Given], luck: random.Random) -> None:
    in_order = Story(*records, now_ms=BEGIN_MS, policies=POLICIES)
    shuffled = records + luck.choices(records, k=len(records))
    luck.shuffle(shuffled)
    in_disorder = Story(*shuffled, now_ms=BEGIN_MS, policies=POLICIES)
    assert in_order.state is not None
    assert in_disorder.state is not None
    assert encode_state(in_disorder.state) == encode_state(in_order.state)
    assert in_disorder.standing.keys() == in_order.standing.keys()


@given(histories(), versioned())
@MANY
def test_a_repeated_record_and_a_repeated_tick_change_nothing(happenings: list[Happening], extra: Given) -> None:
    story = World([*happenings, Happening(at_ms=END_MS - GRID_MS, given=extra)], 0, 0).live_fast().story
    state = story.state
    once = step(state, extra, POLICIES, END_MS).state
    assert step(once, extra, POLICIES, END_MS).state is once
    woken = step(once, Wake(), POLICIES, END_MS).state
    again = step(woken, Wake(), POLICIES, END_MS)
    assert again.state is woken
    assert (again.commands, again.decisions, again.tasks) == ((), (), ())


STOPPERS: tuple[Given, ...] = (
    *(a_payment(contract_id=contract, payment_id=PaymentId("last"), version=9) for contract in CONTRACTS),
    a_request(kind=RequestKind.OPTED_OUT, occurred_at_ms=END_MS),
    a_request(kind=RequestKind.CONSENT_WITHDRAWN, channel=Channel.EMAIL, occurred_at_ms=END_MS),
    a_request(kind=RequestKind.ERASURE, occurred_at_ms=END_MS),
    Quarantined(cause="invalid"),
)


@given(histories(), st.sampled_from(STOPPERS), instants(), st.integers(0, 50), delays())
@MANY
def test_nothing_leaves_after_payment_opt_out_erasure_or_hold(
    happenings: list[Happening], stopper: Given, at_ms: int, seed: int, wait_ms: int
) -> None:
    lasting = [one for one in happenings if not isinstance(one.given, Released)]
    stopped = [*lasting, Happening(at_ms=at_ms, given=stopper)]
    world = World(sorted(stopped, key=lambda one: one.at_ms), seed, wait_ms).live_fast()
    concerned = [one for one in world.story.commands if _concerns(stopper, one)]
    assert all(command.decided_at_ms < at_ms for command in concerned)
    assert all(accepted_ms <= at_ms for accepted_ms, one in world.accepted if _concerns(stopper, one))
    assert not concerned or world.story.is_fenced(concerned[-1]) or _is_retired(world, concerned[-1])


@given(histories(), instants(), st.integers(0, 50))
@MANY
def test_an_operators_stop_holds_everything_until_the_start(happenings: list[Happening], at_ms: int, seed: int) -> None:
    at_ms = max(at_ms, BEGIN_MS + GRID_MS)
    before = [one for one in happenings if one.at_ms < at_ms]
    world = World(before, seed, 0).live_fast(until_ms=at_ms)
    world.story.policies = world.story.policies.stopped(Channel.EMAIL)
    world.story.take(Rejudge())
    world.happenings = [one for one in happenings if one.at_ms >= at_ms]
    world.live_fast(from_ms=at_ms)
    assert all(command.decided_at_ms < at_ms for command in world.story.commands)


@given(histories(largest=5), st.integers(0, 50), delays(), st.integers(1_001, 1_999))
@MANY
def test_repricing_withdraws_what_is_out_and_changes_what_is_to_come_and_nothing_else(
    happenings: list[Happening], seed: int, wait_ms: int, amount: int
) -> None:
    world = World(happenings, seed, wait_ms).live_fast(until_ms=ms("2026-06-24T12:00Z"))
    story = world.story
    assert story.state is not None
    for term in story.state.terms:
        out = {touch.step for touch in term.touches if touch.stage is Stage.OUT}
        if term.facts is None or term.is_retired:
            continue
        told, sent = len(story.decisions), len(story.commands)
        story.take(_repriced(term, amount))
        withdrawn = {one.step for one in story.decisions[told:] if one.verdict is Verdict.WITHDRAWN}
        assert withdrawn == out
        assert len(story.decisions) - told == len(out)
        world.live_fast(from_ms=story.now_ms)
        mine = [one for one in story.commands[sent:] if one.contract_id == term.contract_id]
        assert all(one.amount_minor == amount for one in mine)
        return


def _repriced(term: Term, amount: int) -> Given:
    assert term.facts is not None
    return a_contract(
        contract_id=term.contract_id,
        version=term.facts.version + 1,
        expires_on=term.facts.expires_on,
        status=term.facts.status,
        amount_minor=amount,
    )


def _concerns(stopper: Given, command: SendTouch) -> bool:
    return not isinstance(stopper, PaymentRecorded) or stopper.contract_id == command.contract_id


def _is_retired(world: World, command: SendTouch) -> bool:
    assert world.story.state is not None
    return any(term.is_retired for term in world.story.state.terms if term.contract_id == command.contract_id)


def _group(command: SendTouch) -> tuple[ContractId, TermId, StepName]:
    return command.contract_id, command.term_id, command.step


def _day(command: SendTouch) -> object:
    return local_day(command.decided_at_ms, command.zone)
