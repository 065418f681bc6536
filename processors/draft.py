"""A step being worked out: the core's only mutable value; nobody outside one call of `step` ever sees it."""

from collections.abc import Iterator

from msgspec.structs import replace

from processors.policies import Policies
from processors.state import CustomerState, Term, Touch
from processors.zones import is_zone
from schemas.identity import TouchKey, touch_key
from schemas.outputs import DeadLetter, DecisionMade, SendTouch, TaskOpened
from schemas.vocabulary import Channel, Reason, Verdict

EXPLICIT, POLICY_DEFAULT = "explicit", "policy_default"


class Draft:
    """The state before, what became of it so far, and what is to be emitted."""

    __slots__ = (
        "before",
        "changed",
        "commands",
        "dead_letters",
        "decisions",
        "is_reviewed",
        "is_silenced",
        "now_ms",
        "policies",
        "state",
        "tasks",
    )

    def __init__(self, before: CustomerState, policies: Policies, now_ms: int) -> None:
        self.before = before
        self.state = before  # its terms stay as they were; `changed` holds the new ones
        self.policies = policies
        self.now_ms = now_ms
        self.changed: dict[tuple[str, str], Term] = {}
        self.is_reviewed = False
        self.is_silenced = False
        self.commands: list[SendTouch] = []
        self.decisions: list[DecisionMade] = []
        self.tasks: list[TaskOpened] = []
        self.dead_letters: list[DeadLetter] = []

    def term(self, contract_id: str, term_id: str) -> Term | None:
        """A term as it stands now."""
        changed = self.changed.get((contract_id, term_id))
        if changed is not None:
            return changed
        for term in self.before.terms:
            if term.term_id == term_id and term.contract_id == contract_id:
                return term
        return None

    def terms(self) -> Iterator[Term]:
        """Every known term as it stands now, new ones last."""
        if not self.changed:
            yield from self.before.terms
            return
        left = dict(self.changed)
        for term in self.before.terms:
            yield left.pop((term.contract_id, term.term_id), term)
        yield from left.values()

    def put(self, term: Term) -> None:
        """Keep a new version of a term."""
        self.changed[term.contract_id, term.term_id] = term

    def review(self) -> None:
        """Something that concerns every term has changed: find all alarms anew."""
        self.is_reviewed = True

    def silence(self) -> None:
        """Set no alarm, whatever is due."""
        self.is_silenced = True

    def zone(self) -> str:
        """The zone the customer lives by: the CRM's, else the policy's default (P7)."""
        return zone_of(self.state, self.policies)[0]

    def decide(
        self,
        term: Term,
        touch: Touch,
        *,
        window: tuple[int, int] = (0, 0),
        detail: str = "",
    ) -> None:
        """Record the verdict and reason that this touch now carries."""
        self.answer(term, touch, touch.verdict, touch.reason, window=window, detail=detail)

    def answer(
        self,
        term: Term,
        touch: Touch,
        verdict: Verdict,
        reason: Reason,
        *,
        window: tuple[int, int] = (0, 0),
        detail: str = "",
    ) -> None:
        """Record a verdict that the touch itself does not carry on, such as a declined wish."""
        zone, source = zone_of(self.state, self.policies)
        inputs = {"zone_source": source}
        if term.facts is not None:
            inputs["contract_version"] = str(term.facts.version)
        self.decisions.append(
            DecisionMade(
                touch_key=key_of(term, touch.step, touch.channel, touch.revision),
                customer_id=self.before.customer_id,
                contract_id=term.contract_id,
                term_id=term.term_id,
                step=touch.step,
                channel=touch.channel,
                revision=touch.revision,
                verdict=verdict,
                reason=reason,
                decided_at_ms=self.now_ms,
                policy_number=self.policies.number,
                attempt=touch.attempt,
                opens_at_ms=window[0],
                closes_at_ms=window[1],
                next_look_at_ms=touch.next_look_at_ms,
                zone=zone,
                detail=detail,
                inputs=inputs,
            )
        )


def zone_of(state: CustomerState, policies: Policies) -> tuple[str, str]:
    """The zone in force and where it comes from; "" while there is neither."""
    if state.customer is not None and is_zone(state.customer.zone):
        return state.customer.zone, EXPLICIT
    return (policies.current.default_zone if policies.current is not None else ""), POLICY_DEFAULT


def key_of(term: Term, step: str, channel: Channel, revision: int) -> TouchKey:
    """The key of a touch of this term."""
    return touch_key(term.contract_id, term.term_id, step, channel.value, revision)


def revised(touch: Touch, verdict: Verdict, reason: Reason, *, next_look_at_ms: int = 0) -> Touch:
    """The touch with another verdict."""
    return replace(touch, verdict=verdict, reason=reason, next_look_at_ms=next_look_at_ms)
