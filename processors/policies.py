"""What a partition judges by: the policy in force and the operators' stops; kept in the partition's meta row."""

from functools import lru_cache

import msgspec

from processors.policy import Policy, content_hash, read_policy
from schemas.errors import InvalidRecord
from schemas.events import PolicyPublished
from schemas.vocabulary import Channel


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The policy in force, or none yet (number 0), and the channels an operator has stopped.

    `Channel.UNSPECIFIED` among the stops means every channel.
    """

    number: int = 0
    content: str = ""
    current: Policy | None = None
    stops: frozenset[Channel] = frozenset()

    def published(self, record: PolicyPublished) -> "Policies":
        """Take a policy set into force; a number not above the one in force changes nothing (I8).

        Raises:
            InvalidRecord: the content is no policy, or does not match its hash.
        """
        if record.number <= self.number:
            return self
        if record.content_hash != content_hash(record.content):
            raise InvalidRecord(f"policy {record.number}: the content does not match its hash; publish it again")
        policy = _read(record.content)
        return msgspec.structs.replace(self, number=record.number, content=record.content, current=policy)

    def stopped(self, channel: Channel) -> "Policies":
        """Stop one channel, or all by `unspecified`."""
        return msgspec.structs.replace(self, stops=self.stops | {channel})

    def started(self, channel: Channel) -> "Policies":
        """Lift the stop of exactly this scope."""
        return msgspec.structs.replace(self, stops=self.stops - {channel})

    def is_stopped(self, channel: Channel) -> bool:
        """Whether nothing may leave by this channel now."""
        return bool(self.stops) and (Channel.UNSPECIFIED in self.stops or channel in self.stops)


class _Saved(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    number: int = 0
    content: str = ""
    stops: tuple[Channel, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Saved)


def encode_policies(policies: Policies) -> bytes:
    """Write what `decode_policies` reads: the policy's own text, so that every release can read it again."""
    saved = _Saved(number=policies.number, content=policies.content, stops=tuple(sorted(policies.stops)))
    return _encoder.encode(saved)


def decode_policies(data: bytes) -> Policies:
    """Read the policies of a meta row; empty bytes are a partition that has none yet."""
    if not data:
        return Policies()
    saved = _decoder.decode(data)
    current = _read(saved.content) if saved.number else None
    return Policies(number=saved.number, content=saved.content, current=current, stops=frozenset(saved.stops))


@lru_cache(maxsize=16)
def _read(content: str) -> Policy:
    return read_policy(content)
