"""Compensation replay: ask the state to judge again what an outage lost, and report each answer (R75, law 6)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

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
from schemas.vocabulary import Verdict

ANSWERED_WITHIN_MS = 60_000


def replay_touches(since: datetime, *, cause: str, is_applied: bool, operator: str) -> None:
    """Find what was lost since an instant, ask (or rehearse), and print an answer for each."""
    here = installation()
    since_ms = int(since.astimezone(UTC).timestamp() * 1000)
    lost = lost_since(all_decisions(here.kafka(), here.codec(), here.partitions), since_ms, cause)
    asker = asker_of(operator, f"replay since {since:%Y-%m-%dT%H:%M}")
    answers = _asked(here, lost, asker) if is_applied else _rehearsed(here, lost, asker)
    _print(answers, lost, is_applied=is_applied)


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


def _rehearsed(here: Installation, lost: Sequence[DecisionMade], asker: Asker) -> list[Answer]:
    by_customer: dict[str, list[str]] = defaultdict(list)
    for one in lost:
        by_customer[one.customer_id].append(one.touch_key)
    rows = all_rows(here.kafka(), here.application, here.partitions) if lost else ()
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
        table.add_row(one.touch_key, f"{one.verdict.value}: {one.reason.value}", spelled_answer(answer))
    console.print(table)
    released = sum(answer.is_released for answer in answers)
    console.print(f"{released} of {len(lost)} {'released' if is_applied else 'would be released'}")
    if not is_applied:
        console.print("add --apply to ask the state; it judges each again, and running it twice sends nothing twice")


def spelled_answer(answer: Answer) -> str:
    """One answer in a few words."""
    if answer.answer is None:
        return f"no answer within {ANSWERED_WITHIN_MS // 1000} s: are a worker and a clock running?"
    if answer.answer.verdict is Verdict.DECLINED:
        return f"declined: {answer.answer.reason.value}"
    if answer.afterwards is None:
        return "reopened, to be judged at the next tick"
    return f"{answer.afterwards.verdict.value}: {answer.afterwards.reason.value}"
