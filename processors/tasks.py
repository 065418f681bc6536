"""Work for people, opened under a tick (law 1)."""

from msgspec.structs import replace

from processors.draft import Draft, key_of
from processors.state import Term, Touch
from schemas.outputs import TaskOpened
from schemas.vocabulary import TaskKind


def open_owed_task(draft: Draft, term: Term, touch: Touch) -> Touch:
    """Open the completion task of a touch without a usable contact (R11; P33); its id is the same every time."""
    draft.tasks.append(
        TaskOpened(
            task_id=f"{TaskKind.CONTACT_COMPLETION.value}|{key_of(term, touch.step, touch.channel, 0)}",
            customer_id=draft.before.customer_id,
            kind=TaskKind.CONTACT_COMPLETION,
            opened_at_ms=draft.now_ms,
            contract_id=term.contract_id,
            term_id=term.term_id,
            step=touch.step,
            touch_key=key_of(term, touch.step, touch.channel, touch.revision),
            reason=touch.reason,
            policy_number=draft.policies.number,
            assignee=draft.state.customer.account_manager_id if draft.state.customer is not None else "",
        )
    )
    return replace(touch, owes_task=0)
