"""Twins in memory of what the engine is given: a store, an executor and a clock."""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable, Iterator, Mapping

from streams.log import Arguments, Result


class MemoryRows:
    """A store that lives as long as its process."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []
        self.get = self._rows.get

    def write(self, rows: Mapping[bytes, bytes | None]) -> None:
        """Write and delete rows."""
        for key, value in rows.items():
            if value is None:
                self._delete(key)
            else:
                if key not in self._rows:
                    insort(self._keys, key)
                self._rows[key] = value

    def scan(self, first: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Walk a snapshot of the prefix."""
        start = bisect_left(self._keys, first)
        for key in self._keys[start:]:
            if not key.startswith(prefix):
                return
            yield key, self._rows[key]

    def size_bytes(self) -> int:
        """Tell what the rows take."""
        return sum(len(key) + len(value) for key, value in self._rows.items())

    def close(self) -> None:
        """Keep everything."""

    def _delete(self, key: bytes) -> None:
        if self._rows.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]


class InlineExecutor:
    """Makes every call at once, in the order asked; what a simulation wants."""

    def run(
        self, call: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Awaitable[Result]:
        """Make the call now and give its result to whoever awaits."""

        async def made() -> Result:
            return call(*args, **kwargs)

        return made()


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, now_ms: int = 0) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        """Tell the time it was set to."""
        return self.at_ms

    async def pause(self, duration_ms: int) -> None:
        """Move on at once, and let others run."""
        self.at_ms += duration_ms
        await asyncio.sleep(0)
