"""The contact store in Redis: rows and topic positions change together, so that a flush or an old dump shows."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.ports import (
    ContactChange,
    ContactErased,
    ContactPut,
    ContactRow,
    KeyPut,
    KeysErased,
    Looked,
    StoreAway,
)
from schemas.transport.records import TopicPartition

_BUILDING = "building"
_FIELD, _VERSION, _KEY_ID = "f:", b"v", b"k"
_DELETED_AT_ONCE = 1_000

# An erased row is the field `e` alone, and stays it: late contacts and keys of that customer change nothing (S09).
# KEYS[1] positions; ARGV[1] n, then n pairs before, then m, m pairs after, then commands with their lengths.
# One script, so that no reader sees rows without their positions, and nobody writes onto positions he does not know.
_APPLY = """
local at = 1
local function take() at = at + 1; return ARGV[at - 1] end
local count = tonumber(take())
for _ = 1, count do
  local name, offset = take(), take()
  if (redis.call('HGET', KEYS[1], name) or '') ~= offset then return 0 end
end
count = tonumber(take())
local after = {}
for _ = 1, count do after[#after + 1] = take(); after[#after + 1] = take() end
while at <= #ARGV do
  local kind, key = take(), take()
  if kind == 'contact' then
    local version, size = take(), tonumber(take())
    local row = {}
    for _ = 1, size do row[#row + 1] = take() end
    local known = redis.call('HGET', key, 'v')
    local is_erased = redis.call('HEXISTS', key, 'e') == 1
    if not is_erased and (not known or tonumber(known) <= tonumber(version)) then
      redis.call('DEL', key)
      redis.call('HSET', key, unpack(row))
    end
  elseif kind == 'key' then
    local id, wrapped = take(), take()
    if redis.call('HEXISTS', key, 'e') == 0 then redis.call('HSET', key, id, wrapped) end
  else
    redis.call('DEL', key)
    redis.call('HSET', key, 'e', '1')
  end
end
if #after > 0 then redis.call('HSET', KEYS[1], unpack(after)) end
return 1
"""


class RedisContactStore:
    """Hashes `<prefix>contact:<customer>`, `<prefix>contact-key:<customer>` and `<prefix>contact-positions`."""

    def __init__(self, redis: Redis, *, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix
        self._positions_key = f"{prefix}contact-positions"
        self._apply = redis.register_script(_APPLY)

    async def positions(self) -> Mapping[TopicPartition, int]:
        """How far the store has read each topic partition; empty when it holds nothing. Raises StoreAway."""
        try:
            return _positions_of(await cast("Awaitable[dict[bytes, bytes]]", self._redis.hgetall(self._positions_key)))
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error

    async def begin_building(self, positions: Mapping[TopicPartition, int]) -> None:
        """Drop everything and start over from these positions."""
        try:
            await self._redis.delete(self._positions_key)
            await self._redis.hset(self._positions_key, _BUILDING, "1")
            for kind in ("contact", "contact-key"):
                await self._delete_all(f"{self._prefix}{kind}:*")
            told: dict[Any, Any] = {_name(tp): at for tp, at in positions.items()}  # the client's own type is invariant
            await self._redis.hset(self._positions_key, mapping=told)
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error

    async def end_building(self) -> None:
        """The rebuild has reached the end that the topics had when it began."""
        try:
            await self._redis.hdel(self._positions_key, _BUILDING)
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error

    async def apply(
        self,
        changes: Sequence[ContactChange],
        *,
        before: Mapping[TopicPartition, int],
        after: Mapping[TopicPartition, int],
    ) -> bool:
        """Apply changes and positions in one step, but only onto the positions `before`; False when others stand."""
        arguments = [*_pairs(before), *_pairs(after)]
        for change in changes:
            arguments.extend(self._arguments(change))
        try:
            return bool(await self._apply(keys=[self._positions_key], args=arguments))
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error

    async def look_up(self, customer_ids: Sequence[str]) -> Looked:
        """One pipelined call for all of them. Raises StoreAway."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hgetall(self._positions_key)
        for customer_id in customer_ids:
            pipeline.hgetall(self._contact_key(customer_id))
            pipeline.hgetall(self._keys_key(customer_id))
        try:
            positions, *found = await pipeline.execute()
        except (RedisError, OSError) as error:
            raise StoreAway(type(error).__name__) from error
        rows = {}
        for at, customer_id in enumerate(customer_ids):
            if _VERSION in found[2 * at]:
                rows[customer_id] = _row(customer_id, found[2 * at], found[2 * at + 1])
        return Looked(rows=rows, positions=_positions_of(positions), is_building=_BUILDING.encode() in positions)

    async def close(self) -> None:
        """Let the connections go."""
        await self._redis.aclose()

    async def _delete_all(self, pattern: str) -> None:
        batch: list[bytes] = []
        async for key in self._redis.scan_iter(match=pattern, count=_DELETED_AT_ONCE):
            batch.append(key)
            if len(batch) >= _DELETED_AT_ONCE:
                await self._redis.delete(*batch)
                batch.clear()
        if batch:
            await self._redis.delete(*batch)

    def _arguments(self, change: ContactChange) -> list[str | bytes | int]:
        match change:
            case ContactPut():
                row: list[str | bytes | int] = ["v", change.version, "k", change.key_id]
                for name, sealed in change.fields.items():
                    row += [_FIELD + name, sealed]
                return ["contact", self._contact_key(change.customer_id), change.version, len(row), *row]
            case KeyPut():
                return ["key", self._keys_key(change.customer_id), change.key_id, change.wrapped_key]
            case ContactErased():
                return ["erase", self._contact_key(change.customer_id)]
            case KeysErased():
                return ["erase", self._keys_key(change.customer_id)]

    def _contact_key(self, customer_id: str) -> str:
        return f"{self._prefix}contact:{customer_id}"

    def _keys_key(self, customer_id: str) -> str:
        return f"{self._prefix}contact-key:{customer_id}"


def _pairs(positions: Mapping[TopicPartition, int]) -> list[str | bytes | int]:
    pairs: list[str | bytes | int] = [len(positions)]
    for tp, offset in positions.items():
        pairs += [_name(tp), offset]
    return pairs


def _name(tp: TopicPartition) -> str:
    return f"{tp.topic}:{tp.partition}"


def _positions_of(stored: Mapping[bytes, bytes]) -> dict[TopicPartition, int]:
    positions = {}
    for name, offset in stored.items():
        topic, colon, partition = name.decode().rpartition(":")
        if colon:
            positions[TopicPartition(topic, int(partition))] = int(offset)
    return positions


def _row(customer_id: str, contact: Mapping[bytes, bytes], keys: Mapping[bytes, bytes]) -> ContactRow:
    key_id = contact[_KEY_ID]
    return ContactRow(
        customer_id=customer_id,
        version=int(contact[_VERSION]),
        key_id=key_id.decode(),
        fields={
            name.decode().removeprefix(_FIELD): sealed
            for name, sealed in contact.items()
            if name.startswith(_FIELD.encode())
        },
        wrapped_key=keys.get(key_id, b""),
    )
