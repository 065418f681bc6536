"""A brain for tests of the engine: one line of text a record says what to do, and the state tells what was done."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.codec import packaged_codec
from schemas.errors import InvalidRecord, SchemaUnavailable, Undecodable
from schemas.events import RequestMade, Tick
from schemas.outputs import FenceRaised
from schemas.topics import CONTRACT, CUSTOMER, DECISION, ENGAGEMENT, FENCE, PAYMENT, RECEIPT, REQUEST
from schemas.vocabulary import Channel, FenceKind, RequestKind
from streams.brain import Applied, Changed, Emission, Misaddressed

INPUTS = (CUSTOMER, CONTRACT, PAYMENT, RECEIPT, ENGAGEMENT, REQUEST)


class Probe(msgspec.Struct, array_like=True, frozen=True):
    """What a customer has seen, in order; `alarm` and `outstanding` as the records said."""

    customer: str
    seen: tuple[str, ...] = ()
    alarm: int | None = None
    waiting: int = 0
    hold: str = ""


class Occasion(msgspec.Struct, frozen=True):
    """What the engine brings about."""

    name: str
    cause: str = ""


class ProbingBrain:
    """Understands `say X`, `alarm N`, `out N`, `raise`, `big N`, `bigstate N`, `invalid`, `unavailable`, `failwake`."""

    def __init__(self, version: str = "2026.1", policy: int = 1) -> None:
        self._codec = packaged_codec()
        self.wake, self.rejudge, self.released = Occasion("wake"), Occasion("rejudge"), Occasion("released")
        self.empty_policies: tuple[int, tuple[str, ...]] = (policy, ())
        self.data_versions = {"tzdata": version}
        self.is_registry_away = False
        self.decoders: dict[str, Callable[[bytes | None, bytes | None], str]] = dict.fromkeys(INPUTS, self._decode)
        self.encode = self._codec.encode
        self.encode_state = msgspec.msgpack.Encoder().encode
        self.rejudged_alarm: int | None = None
        self._decoder = msgspec.msgpack.Decoder(Probe)

    def decode_state(self, value: bytes) -> Probe:
        return self._decoder.decode(value)

    def blank(self, customer: bytes) -> Probe:
        return Probe(customer.decode())

    def step(self, state: Probe | None, given: Any, policies: Any, now_ms: int) -> Applied:  # noqa: ANN401, ARG002, PLR0911
        if isinstance(given, Occasion):
            return self._occasion(state, given, now_ms)
        customer, _, order = given.partition(":")
        word, _, argument = order.partition(" ")
        state = state or Probe(customer)
        seen = msgspec.structs.replace(state, seen=(*state.seen, order))
        match word:
            case "say":
                return Applied(seen, (Emission(DECISION, customer.encode(), argument.encode()),))
            case "alarm":
                return Applied(msgspec.structs.replace(seen, alarm=int(argument)))
            case "out":
                return Applied(msgspec.structs.replace(seen, waiting=int(argument)))
            case "raise":
                raise RuntimeError(argument)
            case "big":
                return Applied(seen, (Emission(DECISION, customer.encode(), b"x" * int(argument)),))
            case "bigstate":
                return Applied(msgspec.structs.replace(seen, hold="x" * int(argument)))
            case "invalid":
                raise InvalidRecord("told to be invalid")
            case _:
                return Applied(seen)

    def quarantined(self, cause: str) -> Occasion:
        return Occasion("quarantined", cause)

    def hold(self, customer: bytes, cause: str, now_ms: int) -> Sequence[Emission]:
        return (self._hold(customer.decode(), cause, now_ms),)

    def alarm_at_ms(self, state: Probe) -> int | None:
        return state.alarm

    def outstanding(self, state: Probe) -> int:
        return state.waiting

    def encode_policies(self, policies: Any) -> bytes:  # noqa: ANN401
        return msgspec.msgpack.encode(policies)

    def decode_policies(self, value: bytes) -> Any:  # noqa: ANN401
        return msgspec.msgpack.decode(value, type=tuple[int, tuple[str, ...]])

    def policy_number(self, policies: Any) -> int:  # noqa: ANN401
        return int(policies[0])

    def published(self, policies: Any, value: bytes) -> Any:  # noqa: ANN401
        try:
            number = int(value)
        except ValueError:
            raise InvalidRecord("no number") from None
        return policies if number <= policies[0] else (number, policies[1])

    def stopped(self, policies: Any, request: RequestMade, now_ms: int) -> Changed:  # noqa: ANN401
        number, stops = policies
        key = b"stop|" + request.channel.value.encode()
        if request.kind is RequestKind.START:
            return Changed((number, ()), (Emission(FENCE, key, None),))
        fence = FenceRaised(fence_key=key.decode(), kind=FenceKind.STOP, raised_at_ms=now_ms, channel=Channel.EMAIL)
        return Changed((number, (*stops, request.channel.value)), (Emission(FENCE, key, self.encode(fence)),))

    def decode_request(self, value: bytes | None) -> RequestMade | None:
        if not value or value[0] != 0:
            return None
        return self._codec.decode(value, RequestMade)

    def dated(self, given: str, appended_at_ms: int) -> str:
        return f"{given} by {appended_at_ms}" if given.endswith("dated") else given

    def decode_tick(self, value: bytes) -> Tick:
        return self._codec.decode(value, Tick)

    def _decode(self, key: bytes | None, value: bytes | None) -> str:
        if not value or b":" not in value:
            raise Undecodable("not a line")
        customer, _, order = value.partition(b":")
        if order == b"unavailable" and self.is_registry_away:
            raise SchemaUnavailable("the registry is away")
        if customer != key:
            raise Misaddressed(customer=customer, key=key)
        return value.decode()

    def _occasion(self, state: Probe | None, given: Occasion, now_ms: int) -> Applied:
        if state is None:
            raise RuntimeError("an occasion without a customer")
        seen = msgspec.structs.replace(state, seen=(*state.seen, given.name))
        match given.name:
            case "wake":
                if "failwake" in state.seen:
                    raise RuntimeError("told to fail")
                said = Emission(DECISION, state.customer.encode(), b"woken %d" % now_ms)
                return Applied(msgspec.structs.replace(seen, alarm=None), (said,))
            case "quarantined":
                held = msgspec.structs.replace(seen, hold=given.cause, alarm=None)
                return Applied(held, (self._hold(state.customer, given.cause, now_ms),))
            case "released":
                key = f"hold|{state.customer}".encode()
                return Applied(msgspec.structs.replace(seen, hold=""), (Emission(FENCE, key, None),))
            case _:
                if self.rejudged_alarm is None:
                    return Applied(state)
                return Applied(msgspec.structs.replace(state, alarm=self.rejudged_alarm))

    def _hold(self, customer: str, cause: str, now_ms: int) -> Emission:
        key = f"hold|{customer}"
        fence = FenceRaised(fence_key=key, kind=FenceKind.HOLD, raised_at_ms=now_ms, customer_id=customer, cause=cause)
        return Emission(FENCE, key.encode(), self.encode(fence))
