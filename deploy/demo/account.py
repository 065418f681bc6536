"""The demo's own account of a run: what was due, what became of it, how late, and a picture of each day.

It counts from decisions and from the provider's inbox, side by side; the oracle judges independently afterwards.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from connectors.queries.decisions import Group, outcomes
from schemas.events import Tick
from schemas.identity import TouchKey, touch_parts
from schemas.outputs import DecisionMade, SendTouch
from schemas.vocabulary import Reason, Verdict

SENT, SUPPRESSED, EXPIRED, DEAD, QUARANTINED, PENDING, UNKNOWN = (
    "sent",
    "suppressed",
    "expired",
    "dead_lettered",
    "quarantined",
    "pending",
    "unknown",
)
OUTCOMES = (SENT, SUPPRESSED, EXPIRED, DEAD, QUARANTINED, PENDING, UNKNOWN)
_OUTCOME_OF = {
    Verdict.SENT: SENT,
    Verdict.SUPPRESSED: SUPPRESSED,
    Verdict.SKIPPED: SUPPRESSED,
    Verdict.EXPIRED: EXPIRED,
    Verdict.DEAD_LETTERED: DEAD,
    Verdict.UNKNOWN: UNKNOWN,
}
UNSETTLED = "unsettled"  # no outcome although its window is closed: it shows as imbalance


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One accepted mail as the simulator kept it."""

    key: TouchKey
    attempt: int
    received_ms: int
    recipient: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of every touch that was due up to the horizon."""

    due: int
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    imbalance: int
    lateness_ms: Sequence[int]
    by_day: Mapping[date, Mapping[str, int]]
    mails: int

    def lateness(self) -> dict[str, int]:
        """Median, 99th percentile and maximum, domain time."""
        ordered = sorted(self.lateness_ms) or [0]
        at = {"p50": len(ordered) // 2, "p99": min(len(ordered) - 1, len(ordered) * 99 // 100), "max": -1}
        return {name: ordered[index] for name, index in at.items()}


@dataclass(slots=True, kw_only=True)
class DomainTime:
    """Tells domain time from wall time: the greatest tick appended by then."""

    _appended: list[int] = field(default_factory=list)
    _now: list[int] = field(default_factory=list)

    def learn(self, ticks: Iterable[tuple[int, Tick]]) -> None:
        """Take all ticks of a run, each with its append time."""
        latest = 0
        for appended_at_ms, tick in sorted(ticks, key=lambda one: (one[0], one[1].now_ms)):
            latest = max(latest, tick.now_ms)
            self._appended.append(appended_at_ms)
            self._now.append(latest)

    def at(self, wall_ms: int) -> int:
        """Domain time at a wall instant; 0 before the first tick."""
        index = bisect_right(self._appended, wall_ms)
        return self._now[index - 1] if index else 0


def account_of(
    decisions: Sequence[DecisionMade],
    commands: Iterable[SendTouch],
    mails: Sequence[Mail],
    clock: DomainTime,
    horizon_ms: int,
) -> Account:
    """Settle the account of a run: sent is what the provider accepted, everything else what was decided."""
    last = {group: one for group, one in outcomes(decisions).items() if one.opens_at_ms <= horizon_ms}
    accepted = {_group_of(mail.key) for mail in mails}
    fate = {group: _fate(group, one, accepted, horizon_ms) for group, one in last.items()}
    counts = Counter(fate.values())
    settled = sum(counts[name] for name in OUTCOMES)
    return Account(
        due=len(last),
        counts={name: counts[name] for name in OUTCOMES},
        reasons=_reasons(last, fate),
        imbalance=len(last) - settled + len(accepted - set(last)),
        lateness_ms=_lateness(commands, mails, clock),
        by_day=_by_day(last, fate),
        mails=len(mails),
    )


def settled_by(decision: DecisionMade) -> str:
    """The outcome that a decision settles by itself; empty where the touch is still open."""
    if decision.verdict is Verdict.HELD and decision.reason is Reason.QUARANTINED:
        return QUARANTINED
    return _OUTCOME_OF.get(decision.verdict, "")


def _group_of(key: str) -> Group:
    contract_id, term_id, step, _channel, _revision = touch_parts(key)
    return Group(contract_id, term_id, step)


def _fate(group: Group, last: DecisionMade, accepted: set[Group], horizon_ms: int) -> str:
    decided = settled_by(last)
    if (group in accepted) != (decided == SENT):
        return UNSETTLED  # the provider's inbox and our decision disagree
    if decided:
        return decided
    return PENDING if last.closes_at_ms > horizon_ms else UNSETTLED


def _reasons(last: Mapping[Group, DecisionMade], fate: Mapping[Group, str]) -> dict[str, int]:
    """How often each reason ended a touch that was suppressed or skipped."""
    reasons = Counter(one.reason.value for group, one in last.items() if fate[group] == SUPPRESSED)
    return dict(reasons.most_common())


def _lateness(commands: Iterable[SendTouch], mails: Iterable[Mail], clock: DomainTime) -> list[int]:
    """How long after its earliest instant each mail reached the provider, domain time."""
    earliest = {(one.touch_key, one.attempt): one.not_before_at_ms for one in commands}
    return [
        clock.at(mail.received_ms) - earliest[mail.key, mail.attempt]
        for mail in mails
        if (mail.key, mail.attempt) in earliest
    ]


def _by_day(last: Mapping[Group, DecisionMade], fate: Mapping[Group, str]) -> dict[date, dict[str, int]]:
    days: dict[date, Counter[str]] = {}
    for group, one in last.items():
        on = datetime.fromtimestamp(one.decided_at_ms / 1000, UTC).date()
        days.setdefault(on, Counter())[fate[group]] += 1
    return {on: dict(days[on]) for on in sorted(days)}
