"""A customer's life for tests: feeds records, wakes at alarms, answers commands, and checks the laws at every step."""

from collections.abc import Callable, Iterator
from pathlib import Path

from processors.calendar import HOUR_MS
from processors.given import Given, Wake
from processors.outcome import Step
from processors.policies import Policies
from processors.policy import content_hash
from processors.state import CustomerState, decode_state, encode_state
from processors.step import step
from schemas.events import PolicyPublished, ReceiptGiven
from schemas.identity import EventId, FenceKey, fences_over
from schemas.outputs import DeadLetter, DecisionMade, FenceRaised, SendTouch, TaskOpened
from schemas.vocabulary import Outcome, Reason, ReceiptReason, Verdict
from tests.builders import ms

CLOSING = Path(__file__).parents[3].joinpath("processors/presets/closing.yaml").read_text(encoding="utf-8")
LONG_AGO_MS = ms("2026-01-05T00:00Z")

Answer = Callable[[SendTouch], ReceiptGiven | None]


def policies_of(content: str, number: int = 1) -> Policies:
    """The policy set with this text, in force."""
    record = PolicyPublished(
        event_id=EventId(f"policy-{number}"),
        number=number,
        published_at_ms=0,
        content=content,
        content_hash=content_hash(content),
    )
    return Policies().published(record)


POLICIES = policies_of(CLOSING)


def receipt_for(
    command: SendTouch,
    outcome: Outcome = Outcome.ACCEPTED,
    reason: ReceiptReason = ReceiptReason.UNSPECIFIED,
) -> ReceiptGiven:
    """A channel's report on this command."""
    return ReceiptGiven(
        event_id=EventId(f"{command.touch_key}-{command.attempt}-{outcome.value}"),
        customer_id=command.customer_id,
        contract_id=command.contract_id,
        term_id=command.term_id,
        step=command.step,
        channel=command.channel,
        revision=command.revision,
        attempt=command.attempt,
        touch_key=command.touch_key,
        outcome=outcome,
        reported_at_ms=command.decided_at_ms,
        reason=reason,
    )


def silence(_: SendTouch) -> None:
    """A channel that never reports."""


class Story:
    """One customer's state and everything that was emitted so far."""

    def __init__(self, *given: Given, now_ms: int = LONG_AGO_MS, policies: Policies = POLICIES) -> None:
        self.state: CustomerState | None = None
        self.now_ms = now_ms
        self.policies = policies
        self.commands: list[SendTouch] = []
        self.decisions: list[DecisionMade] = []
        self.tasks: list[TaskOpened] = []
        self.dead_letters: list[DeadLetter] = []
        self.standing: dict[FenceKey, FenceRaised] = {}
        self.take(*given)

    def take(self, *given: Given) -> "Story":
        """Apply records, or occasions of the engine's, at the present watermark."""
        for one in given:
            self._keep(step(self.state, one, self.policies, self.now_ms), one)
        return self

    def wake(self, at_ms: int) -> Step:
        """Apply one tick, whether or not the alarm is due."""
        assert at_ms >= self.now_ms
        self.now_ms = at_ms
        woken = step(self.state, Wake(), self.policies, at_ms)
        self._keep(woken, Wake())
        return woken

    def run(self, until_ms: int, answer: Answer = receipt_for) -> "Story":
        """Wake at every alarm up to an instant, answering each command at once."""
        while self.alarm_at_ms is not None and self.alarm_at_ms <= until_ms:
            woken = self.wake(max(self.alarm_at_ms, self.now_ms))
            for command in woken.commands:
                report = answer(command)
                if report is not None:
                    self.take(report)
        self.now_ms = until_ms
        return self

    @property
    def alarm_at_ms(self) -> int | None:
        """When the customer is next woken."""
        return self.state.alarm_at_ms if self.state is not None else None

    def told(self, step_name: str = "") -> list[tuple[str, Verdict, Reason]]:
        """Every decision, as step, verdict and reason."""
        return [(one.step, one.verdict, one.reason) for one in self.decisions if step_name in {"", one.step}]

    def outcomes(self) -> dict[str, tuple[Verdict, Reason]]:
        """The last decision of every step (answers to operators aside)."""
        answers = {Verdict.DECLINED, Verdict.REOPENED}
        return {one.step: (one.verdict, one.reason) for one in self.decisions if one.verdict not in answers}

    def sent_at(self) -> dict[str, int]:
        """When each step was released last."""
        return {command.step: command.decided_at_ms for command in self.commands}

    def is_fenced(self, command: SendTouch) -> bool:
        """Whether a channel would refuse this command now."""
        over = fences_over(
            command.customer_id, command.contract_id, command.term_id, command.touch_key, command.channel.value
        )
        return any(key in self.standing for key in over)

    def _keep(self, result: Step, given: Given) -> None:
        check_step(result, given, self.now_ms)
        self.state = result.state
        self.commands += result.commands
        self.decisions += result.decisions
        self.tasks += result.tasks
        self.dead_letters += result.dead_letters
        for fence in result.fences:
            assert FenceKey(fence.fence_key) not in self.standing, "a fence is raised once"
            self.standing[FenceKey(fence.fence_key)] = fence
        for key in result.lifted:
            del self.standing[key]


def check_step(result: Step, given: Given, now_ms: int) -> None:
    """What holds for every answer of the core, whatever was asked (laws 1 and 3)."""
    state = result.state
    assert decode_state(encode_state(state)) == state
    assert result.alarm_at_ms == state.alarm_at_ms
    if isinstance(given, Wake):
        assert result.alarm_at_ms is None or result.alarm_at_ms > now_ms, "a wake leaves nothing due"
    else:
        assert not result.commands, "only a wake releases"
        assert not result.tasks, "only a wake opens tasks"
    for command in result.commands:
        assert command.opens_at_ms < command.closes_at_ms
        assert command.opens_at_ms <= command.not_before_at_ms <= command.decided_at_ms == now_ms
        assert now_ms < command.send_by_at_ms <= command.closes_at_ms
        assert command.send_by_at_ms <= now_ms + 4 * HOUR_MS
        assert command.attempt >= 1


def verdicts(told: list[tuple[str, Verdict, Reason]]) -> Iterator[str]:
    """Verdict and reason as one word each, for readable tables."""
    for _, verdict, reason in told:
        yield f"{verdict.value}: {reason.value}"
