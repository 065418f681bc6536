"""Releasing a due touch: the command with every fact as bound now (law 3)."""

from msgspec.structs import replace

from processors.draft import Draft, key_of
from processors.state import Stage, Term, Touch
from processors.windows import Window, hours_end_ms
from schemas.outputs import SendTouch


def release(draft: Draft, term: Term, window: Window, touch: Touch) -> Touch:
    """Hand a touch that was judged due to its channel, as the next attempt of its revision."""
    policy, facts = draft.policies.current, term.facts
    assert policy is not None and facts is not None  # noqa: S101, PT018  nothing is due without them
    zone, now_ms = draft.zone(), draft.now_ms
    hours_end = hours_end_ms(now_ms, zone, policy.send_hours) or window.closes_at_ms
    send_by_ms = min(window.closes_at_ms, now_ms + policy.delivery.send_within_ms, hours_end)
    customer = draft.state.customer
    touch = replace(
        touch,
        stage=Stage.OUT,
        attempt=touch.attempt + 1,
        released_at_ms=now_ms,
        send_by_at_ms=send_by_ms,
        customer_version=customer.version if customer is not None else -1,
    )
    command = SendTouch(
        touch_key=key_of(term, touch.step, touch.channel, touch.revision),
        customer_id=draft.before.customer_id,
        contract_id=term.contract_id,
        term_id=term.term_id,
        step=touch.step,
        channel=touch.channel,
        revision=touch.revision,
        attempt=touch.attempt,
        not_before_at_ms=now_ms,
        send_by_at_ms=send_by_ms,
        decided_at_ms=now_ms,
        opens_at_ms=window.opens_at_ms,
        closes_at_ms=window.closes_at_ms,
        policy_number=draft.policies.number,
        template=window.step.template,
        locale=customer.locale if customer is not None else "",
        zone=zone,
        contract_version=facts.version,
        starts_on=facts.starts_on,
        expires_on=facts.expires_on,
        product_name=facts.product_name,
        product_edition=facts.product_edition,
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        modules=facts.modules,
        seats=facts.seats,
        discount_basis_points=facts.discount_basis_points,
        special_terms=facts.special_terms,
        renewal_link=facts.renewal_link,
        facts=dict(facts.attributes),
    )
    draft.commands.append(command)
    return touch
