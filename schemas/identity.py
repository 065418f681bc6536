"""The names of things: typed identifiers, touch keys and fence keys, each built in exactly one place."""

from typing import NewType

CustomerId = NewType("CustomerId", str)
ContractId = NewType("ContractId", str)
TermId = NewType("TermId", str)
StepName = NewType("StepName", str)
TouchKey = NewType("TouchKey", str)
FenceKey = NewType("FenceKey", str)
PaymentId = NewType("PaymentId", str)
EventId = NewType("EventId", str)

ANY_CHANNEL = "*"
HEARTBEAT_KEY = b"heartbeat"
_SEPARATOR = "|"
_TOUCH_PARTS = 5


def touch_key(contract_id: str, term_id: str, step: str, channel: str, revision: int) -> TouchKey:
    """Name a touch for ever (law 2): the idempotency key given to providers.

    Args:
        contract_id: as the CRM writes it; `|` and `%` inside are escaped, so that two touches never share a key.
        term_id: the CRM's term id, else the ISO start date of the term; never its end.
        step: stable name of the step in its cadence.
        channel: wire value of the channel.
        revision: 0 for the first release; grows only after a withdrawal that was answered by a refusal.
    """
    return TouchKey(_join(contract_id, term_id, step, channel, str(revision)))


def touch_parts(key: str) -> tuple[str, str, str, str, int]:
    """Split a touch key into contract, term, step, channel and revision; ValueError when it is not one."""
    parts = [_unescape(part) for part in key.split(_SEPARATOR)]
    if len(parts) != _TOUCH_PARTS:
        message = f"{key!r} is not a touch key: expected contract|term|step|channel|revision"
        raise ValueError(message)
    contract_id, term_id, step, channel, revision = parts
    return contract_id, term_id, step, channel, int(revision)


def paid_fence(customer_id: str, contract_id: str, term_id: str) -> FenceKey:
    """Name the fence that stops every touch of a settled term."""
    return FenceKey(_join("paid", customer_id, contract_id, term_id))


def withdrawn_fence(key: str) -> FenceKey:
    """Name the fence that withdraws one released touch."""
    return FenceKey(_join("withdrawn", key))


def opted_out_fence(customer_id: str, channel: str = ANY_CHANNEL) -> FenceKey:
    """Name the fence of an opt-out, for one channel or for all."""
    return FenceKey(_join("opted_out", customer_id, channel))


def erased_fence(customer_id: str) -> FenceKey:
    """Name the fence of an erased customer."""
    return FenceKey(_join("erased", customer_id))


def hold_fence(customer_id: str) -> FenceKey:
    """Name the fence that holds a quarantined customer (law 4)."""
    return FenceKey(_join("hold", customer_id))


def stop_fence(channel: str = ANY_CHANNEL) -> FenceKey:
    """Name a partition's fence of an operator's stop, for one channel or for all."""
    return FenceKey(_join("stop", channel))


def fences_over(customer_id: str, contract_id: str, term_id: str, key: str, channel: str) -> tuple[FenceKey, ...]:
    """Name every fence that forbids this touch; a channel calls only if none of them stands."""
    return (
        stop_fence(),
        stop_fence(channel),
        hold_fence(customer_id),
        erased_fence(customer_id),
        opted_out_fence(customer_id),
        opted_out_fence(customer_id, channel),
        paid_fence(customer_id, contract_id, term_id),
        withdrawn_fence(key),
    )


def _join(*parts: str) -> str:
    return _SEPARATOR.join(_escape(part) for part in parts)


def _escape(part: str) -> str:
    return part.replace("%", "%25").replace(_SEPARATOR, "%7C")


def _unescape(part: str) -> str:
    return part.replace("%7C", _SEPARATOR).replace("%25", "%")
