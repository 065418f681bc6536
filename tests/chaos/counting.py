"""A brain that only counts, so that every output and every state can be foretold: for kill tests, chaos and bench."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from schemas.codec import Codec, packaged_codec
from schemas.events import EngagementSeen, RequestMade, Tick
from schemas.topics import CONTRACT, CUSTOMER, DECISION, ENGAGEMENT, PAYMENT, RECEIPT, REQUEST, TASK
from streams.brain import Applied, Changed, Emission, Misaddressed

FED_TOPICS = (CUSTOMER, CONTRACT, PAYMENT, RECEIPT, ENGAGEMENT)
EVERY = 3  # one output for so many events


class Count(msgspec.Struct, array_like=True):
    """What was counted of one customer: all events, those out of order, and the last number seen per input."""

    events: int = 0
    disordered: int = 0
    value: int = 0
    last: dict[str, int] = {}
    woken: int = 0
    alarm_at_ms: int | None = None
    name: str = ""


class Wake:
    """The occasion of a wake."""


class Quiet:
    """Any other occasion that the engine brings about."""


class CountingBrain:
    """Counts events per customer and says the count at every third; it may change a state in place, for speed."""

    def __init__(self, codec: Codec | None = None, first_alarm_ms: int | None = None) -> None:
        """Count; with a first alarm, every customer is due at that instant after each event, and a wake says so."""
        self._first_alarm_ms = first_alarm_ms
        self._codec = codec or packaged_codec()
        self.wake, self.rejudge, self.released = Wake(), Quiet(), Quiet()
        self.empty_policies = 1
        self.data_versions = {"tzdata": "2026.6"}
        self.decoders: dict[str, Callable[[bytes | None, bytes | None], Any]] = {
            topic: self._decoder() for topic in (*FED_TOPICS, REQUEST)
        }
        self.encode = self._codec.encode
        self.encode_state = msgspec.msgpack.Encoder().encode
        self.decode_state = msgspec.msgpack.Decoder(Count).decode
        self._tick = self._codec.decoder(Tick)

    def blank(self, customer: bytes) -> Count:  # noqa: ARG002
        """Nothing counted yet."""
        return Count(last={})

    def step(self, state: Count | None, given: Any, policies: int, now_ms: int) -> Applied:  # noqa: ANN401, ARG002
        """Count one event."""
        if state is None:
            state = Count(last={}, name=given.customer_id)
        if type(given) is not EngagementSeen:
            return self._occasion(state, given)
        state.alarm_at_ms = self._first_alarm_ms
        state.events += 1
        source = given.source
        if given.value != state.last.get(source, -1) + 1:
            state.disordered += 1
        state.last[source] = given.value
        state.value = given.occurred_at_ms
        if state.events % EVERY:
            return Applied(state)
        return Applied(state, (Emission(DECISION, given.customer_id.encode(), b"%d" % state.events),))

    def quarantined(self, cause: str) -> Quiet:  # noqa: ARG002
        """Nothing is marked."""
        return Quiet()

    def hold(self, customer: bytes, cause: str, now_ms: int) -> Sequence[Emission]:  # noqa: ARG002
        """Nothing is held."""
        return ()

    def alarm_at_ms(self, state: Count) -> int | None:
        """Tell the alarm."""
        return state.alarm_at_ms

    def outstanding(self, state: Count) -> int:  # noqa: ARG002
        """Nothing is outstanding."""
        return 0

    def encode_policies(self, policies: int) -> bytes:
        """Write the number."""
        return b"%d" % policies

    def decode_policies(self, value: bytes) -> int:
        """Read the number."""
        return int(value)

    def policy_number(self, policies: int) -> int:
        """There always is a policy."""
        return policies

    def published(self, policies: int, value: bytes) -> int:  # noqa: ARG002
        """A policy changes nothing."""
        return policies

    def stopped(self, policies: int, request: RequestMade, now_ms: int) -> Changed:  # noqa: ARG002
        """A stop stops nothing."""
        return Changed(policies)

    def decode_request(self, value: bytes | None) -> RequestMade | None:  # noqa: ARG002
        """Requests are plain inputs."""
        return None

    def dated(self, given: EngagementSeen, appended_at_ms: int) -> EngagementSeen:  # noqa: ARG002
        """The instant counts, whatever it is."""
        return given

    def decode_tick(self, value: bytes) -> Tick:
        """Read a tick."""
        return self._tick(value)

    def _occasion(self, state: Count, given: Any) -> Applied:  # noqa: ANN401
        if type(given) is not Wake:
            return Applied(state)
        state.alarm_at_ms = None
        state.woken = state.events
        return Applied(state, (Emission(TASK, state.name.encode(), b"%d" % state.events),))

    def _decoder(self) -> Callable[[bytes | None, bytes | None], EngagementSeen]:
        read = self._codec.decoder(EngagementSeen)

        def decode(key: bytes | None, value: bytes | None) -> EngagementSeen:
            event = read(value)
            customer = event.customer_id.encode()
            if customer != key:
                raise Misaddressed(customer=customer, key=key)
            return event

        return decode
