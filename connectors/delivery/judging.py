"""What to do with an order before any call: settle it, put it off, ask the provider, or go ahead. Pure."""

from dataclasses import dataclass

from connectors.fences import FenceTable, is_stop
from connectors.ledger import Ledger, Standing
from connectors.orders import DeliveryClass, Order, Report, in_doubt, refused
from schemas.identity import FenceKey
from schemas.vocabulary import ReceiptReason

ASKED_FOR_MS = 15 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """No call: the report tells why; None where an earlier receipt already told."""

    report: Report | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """Not before this instant."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class GoAhead:
    """Prepare it and write the intent."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody began this call and did not come back: ask the provider what became of it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The fences of its moment have not been read yet."""


Judgement = Settle | PutOff | GoAhead | Ask | Wait


def judge(
    order: Order,
    *,
    ledger: Ledger,
    fences: FenceTable,
    now_ms: int,
    delivery_class: DeliveryClass,
) -> Judgement:
    """Judge one order by ledger, fences and window; a touch in doubt is never called a refusal."""
    standing = ledger.standing(order.command)
    if standing is Standing.TOLD:
        return Settle(report=None)
    if not fences.has_reached(order.command.decided_at_ms):
        return Wait()
    in_the_way = obstacle(order, fences=fences, now_ms=now_ms)
    if standing is Standing.IN_DOUBT:
        return _judge_doubt(order, in_the_way, ledger, now_ms, delivery_class)
    if in_the_way is not None:
        return Settle(report=in_the_way)
    if now_ms < order.command.not_before_at_ms:
        return PutOff(until_ms=order.command.not_before_at_ms)
    return GoAhead()


def fenced(fence: FenceKey) -> Report:
    """Report a touch that a fence stopped; the report names the kind of fence, never whom it concerns."""
    reason = ReceiptReason.STOPPED if is_stop(fence) else ReceiptReason.FENCED
    return refused(reason, fence.split("|", 1)[0])


def obstacle(order: Order, *, fences: FenceTable, now_ms: int) -> Report | None:
    """What forbids the call: a fence, or a window that has closed."""
    fence = fences.standing(order.fence_keys)
    if fence is not None:
        return fenced(fence)
    if now_ms > order.command.send_by_at_ms:
        return refused(ReceiptReason.PAST_SEND_BY)
    return None


def _judge_doubt(
    order: Order, in_the_way: Report | None, ledger: Ledger, now_ms: int, delivery_class: DeliveryClass
) -> Judgement:
    if delivery_class is DeliveryClass.AT_MOST_ONCE:
        return Settle(report=in_doubt("the channel stopped during the call; it is not repeated"))
    if delivery_class is DeliveryClass.QUERYABLE:
        if now_ms - ledger.intent_at_ms(order.command.touch_key) <= ASKED_FOR_MS:
            return Ask()
        return Settle(report=in_doubt("the provider could not tell for 15 minutes"))
    if in_the_way is not None:
        return Settle(report=in_doubt(f"the channel stopped during the call; not repeated: {in_the_way.reason.value}"))
    return GoAhead()
