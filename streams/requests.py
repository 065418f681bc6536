"""Requests: a stop or start for the partition, a quarantine's release, or one more input of a customer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from schemas.changelog import KeptInput, decode_kept, quarantine_prefix, quarantine_row_key
from schemas.errors import ExitError, InvalidRecord, SchemaUnavailable
from schemas.events import RequestMade
from schemas.topics import REQUEST, TICK
from schemas.vocabulary import RequestKind
from streams.apply import Applier
from streams.draft import Draft
from streams.intake import Fetched

_STOPPING = frozenset({RequestKind.STOP, RequestKind.START})


@dataclass(frozen=True, slots=True)
class ReappliedInput:
    """A kept input on its way through the brain again; it has the shape of a fetched record."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


def apply_requests(applier: Applier, draft: Draft, records: Sequence[Fetched], careful: Collection[bytes]) -> None:
    """Apply requests in order."""
    for record in records:
        request = _verb(applier, record)
        if request is None:
            applier.request(draft, record, careful)
        elif request.kind in _STOPPING:
            applier.stop_or_start(draft, request)
        else:
            _release(applier, draft, record, request, careful)


def _verb(applier: Applier, record: Fetched) -> RequestMade | None:
    """Give a request that is the engine's to carry out; what cannot be read is left to the refusal guard."""
    try:
        request = applier.brain.decode_request(record.value)
    except (ExitError, SchemaUnavailable):
        raise
    except Exception:  # noqa: BLE001  the guard in `records` meets the same error and refuses
        return None
    if request is None or request.kind not in _STOPPING | {RequestKind.QUARANTINE_RELEASE}:
        return None
    return request


def _release(applier: Applier, draft: Draft, record: Fetched, request: RequestMade, careful: Collection[bytes]) -> None:
    """Mend the first kept input, lift the hold and apply the rest in order; a new refusal holds again from there."""
    customer = request.customer_id.encode()
    if not applier.quarantine.is_home(draft, customer):
        applier.quarantine.forward(draft, REQUEST, record, customer)
        return
    if customer not in draft.held:
        return
    brain, emitted = applier.brain, len(draft.emissions)
    try:
        _check_replacement(request, brain.decoders)
        state = draft.state_of(customer) or brain.blank(customer)
        lifted = brain.step(state, brain.released, draft.policies, draft.meta.watermark_at_ms)
        if customer in careful:
            applier.sizes.check_state(brain.encode_state(lifted.state))
    except (ExitError, SchemaUnavailable):
        raise
    except Exception as error:  # noqa: BLE001  the refusal guard: the hold stands, the request is a dead letter
        applier.quarantine.refuse(draft, REQUEST, record, error)
        return
    kept = _mended(_kept_rows(draft, customer), request)
    draft.hold(customer, None)
    draft.states[customer] = lifted.state
    draft.emissions.extend(lifted.emissions)
    for topic, row in kept:
        if topic == REQUEST:
            applier.request(draft, row, careful)
        else:
            applier.records(draft, topic, (row,), careful)
    if customer in draft.held:  # refused again: as far as readers can tell, the hold was never lifted
        del draft.emissions[emitted : emitted + len(lifted.emissions)]


def _check_replacement(request: RequestMade, topics: Collection[str]) -> None:
    if request.replacement_topic and request.replacement_topic not in topics:
        raise InvalidRecord("the replacement is for a topic that holds no input of a customer")


def _kept_rows(draft: Draft, customer: bytes) -> list[KeptInput]:
    """Read what is kept of a customer, in order, and let the draft delete it."""
    prefix, rows = quarantine_prefix(customer), dict[bytes, bytes | None]()
    rows.update(draft.part.rows.scan(prefix, prefix))
    rows.update(draft.rows)
    kept = []
    for sequence in range(draft.held[customer]):  # by exact key: one customer's name may begin with another's
        row_key = quarantine_row_key(customer, sequence)
        value = rows.get(row_key)
        draft.rows[row_key] = None
        if value is not None:
            kept.append(decode_kept(value))
    return kept


def _mended(kept: Sequence[KeptInput], request: RequestMade) -> list[tuple[str, ReappliedInput]]:
    """Replace or drop the first; a wake that raised has nothing to apply, its touch is judged at the next tick."""
    rows = [(row.topic, _reapplied(row, row.value)) for row in kept]
    if rows and request.is_drop:
        rows = rows[1:]
    elif rows and request.replacement_topic:
        rows[0] = (request.replacement_topic, _reapplied(kept[0], request.replacement))
    return [(topic, row) for topic, row in rows if topic != TICK]


def _reapplied(row: KeptInput, value: bytes | None) -> ReappliedInput:
    return ReappliedInput(offset=row.offset, key=row.key, value=value, timestamp=row.appended_at_ms)
