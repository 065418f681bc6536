"""The real executor and the real clock of a worker process."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from streams.log import Arguments, Result


class ThreadExecutor:
    """Runs blocking calls on a bounded pool, so that commits of different co-partitions overlap."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="engine")

    def run(
        self, call: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Awaitable[Result]:
        """Make the call in a thread of the pool."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._pool, functools.partial(call, *args, **kwargs))

    def close(self) -> None:
        """Start nothing more; calls under way end with the process."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class SystemClock:
    """The host's clock."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return time.time_ns() // 1_000_000

    async def pause(self, duration_ms: int) -> None:
        """Let others run for a while."""
        await asyncio.sleep(duration_ms / 1000)
