"""/live, /ready and /metrics on the loopback, by the standard library; alive means that ticks are being applied."""

import os
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

from schemas.errors import TransportError
from schemas.topics import TICK
from schemas.transport.records import TopicPartition
from streams.copartition import CoPartition
from streams.log import Clock, Log
from streams.observation import Observation

SILENT_MS = 60_000  # Faust can stay up idle after a coordinator error; without progress this long it is not alive
_NOTE = re.compile(r"health-([1-9][0-9]*)\.port")
_PLAIN = "text/plain; version=0.0.4; charset=utf-8"


class Serving(Protocol):
    """What health asks of an engine."""

    @property
    def partitions(self) -> frozenset[int]:
        """The co-partitions owned now."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether everything assigned is being served."""
        ...

    def part(self, partition: int) -> CoPartition:
        """Give an owned co-partition."""
        ...


@dataclass(slots=True, kw_only=True)
class Health:
    """Judges a worker by what its partitions have done lately.

    A partition is stuck when a tick waits whose barrier was not passed, or a chunk did not end, for a minute; no tick
    at all is the clock's trouble and not a reason to restart a worker.
    """

    engine: Serving
    log: Log
    observation: Observation
    clock: Clock
    _progress: dict[int, tuple[tuple[int, int], int]] = field(default_factory=dict)
    _arrivals: dict[int, tuple[int, int]] = field(default_factory=dict)
    _unready_since_ms: int = 0

    def is_live(self) -> bool:
        """Tell whether every partition with a waiting tick has moved, in time or in its inputs, within a minute."""
        now_ms = self.clock.now_ms()
        return self._is_group_alive(now_ms) and all(
            self._is_moving(number, now_ms) for number in sorted(self.engine.partitions)
        )

    def is_ready(self) -> bool:
        """Tell whether everything assigned is being served."""
        return self.engine.is_ready

    def is_stalled(self) -> bool:
        """Tell whether ticks lie in the topic that nobody brings: the frame is up, but idle (a coordinator error).

        Blocks for an answer of the brokers; where there is none, the trouble is theirs and a restart mends nothing.
        """
        tps = [TopicPartition(TICK, number) for number in sorted(self.engine.partitions)]
        try:
            ends = self.log.end_offsets(tps)
        except TransportError:
            self._arrivals.clear()
            return False
        waiting = [tp for tp, end in ends.items() if self._is_waiting(tp.partition, end)]  # each is looked at
        return bool(tps) and len(waiting) == len(tps)

    def metrics(self) -> bytes:
        """Give the text of `/metrics`, with what grows by itself as of now."""
        for number in sorted(self.engine.partitions):
            try:
                self.observation.look(self.engine.part(number))
            except Exception:  # a store that closes may raise anything; one still owned must not
                if number in self.engine.partitions:
                    raise
        return self.observation.metrics.exposed()

    def _is_waiting(self, number: int, end: int) -> bool:
        now_ms = self.clock.now_ms()
        try:
            seen = self.engine.part(number).tick_seen
        except KeyError:  # given up just now
            return False
        was, since_ms = self._arrivals.get(number, (-2, now_ms))
        if seen != was or seen >= end - 1:
            self._arrivals[number] = (seen, now_ms)
            return False
        return now_ms - since_ms >= SILENT_MS

    def _is_group_alive(self, now_ms: int) -> bool:
        if self.engine.is_ready:
            self._unready_since_ms = 0
            return True
        self._unready_since_ms = self._unready_since_ms or now_ms
        return now_ms - self._unready_since_ms < 5 * SILENT_MS  # a restore on an empty disk may take a minute

    def _is_moving(self, number: int, now_ms: int) -> bool:
        try:
            part = self.engine.part(number)
        except KeyError:  # given up just now
            return True
        now_at = (part.meta.watermark_at_ms, sum(part.positions.values()))
        was_at, since_ms = self._progress.get(number, ((-1, -1), now_ms))
        may_wait = not part.meta.policy_number or not (len(part.waiting) or part.tick)
        if now_at != was_at or may_wait:
            self._progress[number] = (now_at, now_ms)
            return True
        return now_ms - since_ms < SILENT_MS


class HealthServer:
    """Serves health pages from a thread of its own; a context manager."""

    def __init__(self, health: Health, port: int, folder: Path) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _pages(health))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        _sweep(folder)
        self._note = folder / f"health-{os.getpid()}.port"
        self._thread = Thread(target=self._server.serve_forever, name="health", daemon=True)

    def __enter__(self) -> Self:
        """Serve, and write the port where tools find it."""
        self._note.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(f"{self.port}\n")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._note.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove the notes of processes that were killed: nobody else does."""
    for note in folder.glob("health-*.port"):
        named = _NOTE.fullmatch(note.name)
        if named and not _is_alive(int(named[1])):
            note.unlink(missing_ok=True)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _pages(health: Health) -> type[BaseHTTPRequestHandler]:
    class Pages(BaseHTTPRequestHandler):
        """The three pages."""

        def do_GET(self) -> None:
            """Answer one of the pages."""
            match self.path:
                case "/live":
                    self._answer_yes_or_no(yes=health.is_live())
                case "/ready":
                    self._answer_yes_or_no(yes=health.is_ready())
                case "/metrics":
                    self._answer(200, health.metrics())
                case _:
                    self._answer(404, b"/live /ready /metrics\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the standard library's name
            """Log nothing: probes come every few seconds."""

        def _answer_yes_or_no(self, *, yes: bool) -> None:
            self._answer(200 if yes else 503, b"yes\n" if yes else b"no\n")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", _PLAIN)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Pages
