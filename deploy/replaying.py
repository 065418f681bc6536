"""Compensation replay: ask the state to judge again what an outage lost, and report each answer (R75, law 6)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from rich.console import Console
from rich.table import Table

from connectors.queries.changelog import PartitionRows, all_rows
from connectors.queries.decisions import all_decisions, lost_since
from connectors.queries.following import ends_of, follow
from connectors.queries.rehearsal import Answer, answer_to, rehearse
from connectors.sources.requests import Asker, compensation_of, compensations_of
from deploy.operating import asker_of, publish_all
from deploy.settings import Installation, installation
from processors.policies import decode_policies
from processors.state import decode_state
from schemas.outputs import DecisionMade
from schemas.topics import DECISION
from schemas.vocabulary import Reason, Verdict

ANSWERED_WITHIN_MS = 60_000
NO_ANSWER = f"no answer within {ANSWERED_WITHIN_MS // 1000} s: are a worker and a clock running?"
UNKNOWN_TO_THE_STATE = "the state knows nothing of it any more"


def replay_touches(since: datetime, *, cause: str, is_applied: bool, operator: str) -> None:
    """Find what was lost since an instant, ask (or rehearse), and print an answer for each."""
    here = installation()
    since_ms = int(since.astimezone(UTC).timestamp() * 1000)
    given_up = lost_since(all_decisions(here.kafka(), here.codec(), here.partitions), since_ms, cause)
    rows = all_rows(here.kafka(), here.application, here.partitions) if given_up else ()
    erased = _erased(rows)
    lost = [one for one in given_up if one.customer_id not in erased]
    forgotten = [one for one in given_up if one.customer_id in erased]
    asker = asker_of(operator, f"replay since {since:%Y-%m-%dT%H:%M}")
    answers = _asked(here, lost, asker) if is_applied else _rehearsed(rows, lost, asker)
    answers += [_declined(one, Reason.ERASED) for one in forgotten]
    _print(answers, [*lost, *forgotten], is_applied=is_applied)


def _erased(rows: Iterable[PartitionRows]) -> frozenset[str]:
    """Whose state is only the mark of an erasure: it remembers no touch, so nothing is asked of it."""
    states = ((customer, decode_state(saved)) for part in rows for customer, saved in part.states().items())
    return frozenset(customer for customer, state in states if state.erasure is not None)


def _declined(one: DecisionMade, reason: Reason) -> Answer:
    answer = msgspec.structs.replace(one, verdict=Verdict.DECLINED, reason=reason)
    return Answer(touch_key=one.touch_key, customer_id=one.customer_id, answer=answer, afterwards=None)


def _asked(here: Installation, lost: Sequence[DecisionMade], asker: Asker) -> list[Answer]:
    if not lost:
        return []
    touches = [(one.customer_id, one.touch_key) for one in lost]
    ends = ends_of(here.kafka(), DECISION, here.partitions)
    publish_all(here, compensations_of(touches, asker, here.codec().encode))

    def answers(decisions: list[DecisionMade]) -> list[Answer]:
        return [answer_to(one.touch_key, one.customer_id, decisions) for one in lost]

    decisions = follow(
        here.kafka(),
        here.codec(),
        ends,
        DecisionMade,
        lambda found: all(_is_final(one) for one in answers(found)),
        within_ms=ANSWERED_WITHIN_MS,
    )
    return answers(decisions)


def _is_final(one: Answer) -> bool:
    return one.answer is not None and (one.answer.verdict is Verdict.DECLINED or one.afterwards is not None)


def _rehearsed(rows: Iterable[PartitionRows], lost: Sequence[DecisionMade], asker: Asker) -> list[Answer]:
    by_customer: dict[str, list[str]] = defaultdict(list)
    for one in lost:
        by_customer[one.customer_id].append(one.touch_key)
    decided = {
        customer: _rehearsal(part, customer, keys, asker)
        for part in rows
        for customer, keys in by_customer.items()
        if part.state_of(customer)
    }
    return [answer_to(one.touch_key, one.customer_id, decided.get(one.customer_id, ())) for one in lost]


def _rehearsal(part: PartitionRows, customer: str, keys: list[str], asker: Asker) -> tuple[DecisionMade, ...]:
    saved = part.state_of(customer)
    if saved is None or part.meta is None:
        return ()
    requests = [compensation_of(customer, key, asker) for key in keys]
    return rehearse(decode_state(saved), requests, decode_policies(part.meta.policies), part.meta.watermark_at_ms)


def _print(answers: Sequence[Answer], lost: Sequence[DecisionMade], *, is_applied: bool) -> None:
    console = Console()
    if not lost:
        console.print("nothing was lost since then: no touch is dead-lettered, unknown or expired")
        return
    table = Table(title="replay" if is_applied else "replay, dry run: nothing was changed")
    for name in ("touch", "lost as", "answer"):
        table.add_column(name, overflow="fold")
    for one, answer in zip(lost, answers, strict=True):
        told = spelled_answer(answer, NO_ANSWER if is_applied else UNKNOWN_TO_THE_STATE)
        table.add_row(one.touch_key, f"{one.verdict.value}: {one.reason.value}", told)
    console.print(table)
    released = sum(answer.is_released for answer in answers)
    console.print(f"{released} of {len(lost)} {'released' if is_applied else 'would be released'}")
    if not is_applied:
        console.print("add --apply to ask the state; it judges each again, and running it twice sends nothing twice")


def spelled_answer(answer: Answer, otherwise: str) -> str:
    """One answer in a few words; `otherwise` where there is none."""
    if answer.answer is None:
        return otherwise
    if answer.answer.verdict is Verdict.DECLINED:
        return f"declined: {answer.answer.reason.value}"
    if answer.afterwards is None:
        return "reopened, to be judged at the next tick"
    return f"{answer.afterwards.verdict.value}: {answer.afterwards.reason.value}"
