"""Health and metrics of a connector process over HTTP, by the standard library, on the loopback by default.

The twin of `streams.health`: the two edges share no code, and this little is cheaper twice than a room of its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_OK, _NOT_FOUND, _UNAVAILABLE = 200, 404, 503

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What is asked of a process; each answer must be quick."""

    is_live: Callable[[], bool]
    is_ready: Callable[[], bool]
    registry: CollectorRegistry
    refresh: Callable[[], None]


class HealthServer:
    """Answers GET /live, /ready and /metrics from a thread of its own while it is entered."""

    def __init__(self, vitals: Vitals, *, host: str, port: int) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(vitals))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        """Listen, and say where."""
        self._thread.start()
        _log.info("health_listening", port=self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(vitals: Vitals) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One question."""

        def do_GET(self) -> None:
            """Answer it."""
            match self.path:
                case "/live":
                    self._say(_OK if vitals.is_live() else _UNAVAILABLE, b"", "text/plain")
                case "/ready":
                    self._say(_OK if vitals.is_ready() else _UNAVAILABLE, b"", "text/plain")
                case "/metrics":
                    vitals.refresh()
                    self._say(_OK, generate_latest(vitals.registry), CONTENT_TYPE_LATEST)
                case _:
                    self._say(_NOT_FOUND, b"", "text/plain")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
            """Say nothing: probes are not news."""

        def _say(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
