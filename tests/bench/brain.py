"""The work of the bench as a brain of the real engine: what the peers do with a record, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.codec import packaged_codec
from schemas.events import EngagementSeen, ReceiptGiven, RequestMade, Tick
from schemas.outputs import HeartbeatSent
from schemas.topics import DECISION, RECEIPT, REQUEST
from streams.brain import Applied, Changed, Emission, Given
from tests.bench.contender import Orders, marked
from tests.bench.work import DECODERS, NOTHING_YET, Figures, counted, decode_figures, encode_figures, fold, output
from tests.bench.workload import Fact

_codec = packaged_codec()
_decode_receipt = _codec.decoder(ReceiptGiven)


class CountingBrain:
    """Counts records and says one thing in three; has no alarms, no policies and no commands."""

    wake: Any = "wake"
    rejudge: Any = "rejudge"
    released: Any = "released"
    empty_policies: Any = b""
    data_versions: Mapping[str, str]
    decoders: Mapping[str, Callable[[bytes | None, bytes | None], Given]]

    def __init__(self, orders: Orders) -> None:
        """Prebuild the decoders."""
        self.data_versions = {}
        every = {**DECODERS, RECEIPT: _counted_receipt, REQUEST: _codec.decoder(RequestMade)}
        self.decoders = {topic: marked(orders, _keyless(decoder)) for topic, decoder in every.items()}
        self.decode_tick = _codec.decoder(Tick)
        self.decode_request = _codec.decoder(RequestMade)
        self.heartbeat: Callable[[HeartbeatSent], bytes] = _codec.encoder(HeartbeatSent)
        self.encode_state = encode_figures
        self.decode_state = decode_figures
        self.encode = _codec.encode

    def blank(self, _customer: bytes) -> Figures:
        """Give the state of a customer of whom nothing is known yet."""
        return NOTHING_YET

    def step(self, state: Figures | None, given: Given, _policies: bytes, _now_ms: int) -> Applied:
        """Fold a fact; anything else changes nothing."""
        if isinstance(given, str):
            return Applied(state or NOTHING_YET)
        figures = fold(state or NOTHING_YET, given)
        decision = output(figures, given)
        if decision is None:
            return Applied(figures)
        return Applied(figures, (Emission(DECISION, given.customer_id.encode(), decision),))

    def dated(self, given: Given, _appended_at_ms: int) -> Given:
        """The instant counts, whatever it is."""
        return given

    def customer_of(self, given: Fact) -> bytes:
        """Give the key that the record must have."""
        return given.customer_id.encode()

    def quarantined(self, cause: str) -> str:
        """Nothing in this workload is refused; the word shows in a log if it ever is."""
        return cause

    def hold(self, _customer: bytes, _cause: str, _now_ms: int) -> Sequence[Emission]:
        """Raise no fence."""
        return ()

    def alarm_at_ms(self, _state: Figures) -> int | None:
        """Never wake anybody."""
        return None

    def outstanding(self, _state: Figures) -> int:
        """Nothing is ever out."""
        return 0

    def encode_policies(self, policies: bytes) -> bytes:
        """There are none."""
        return policies

    def decode_policies(self, value: bytes) -> bytes:
        """There are none."""
        return value

    def policy_number(self, _policies: bytes) -> int:
        """Give one, so that ticks are applied and heartbeats leave."""
        return 1

    def published(self, policies: bytes, _value: bytes) -> bytes:
        """Ignore policies."""
        return policies

    def stopped(self, policies: bytes, _request: RequestMade, _now_ms: int) -> Changed:
        """Ignore stops."""
        return Changed(policies)


def _counted_receipt(value: bytes | None) -> EngagementSeen:
    return counted(_decode_receipt(value))


def _keyless(decode: Callable[[bytes | None], Any]) -> Callable[[bytes | None, bytes | None], Any]:
    def decode_value(_key: bytes | None, value: bytes | None) -> Any:  # noqa: ANN401  any input of ours
        return decode(value)

    return decode_value
