"""Whether a service answers, asked by hand on its socket: Kafka's client belongs to schemas.transport."""

import socket
import struct
import time
from collections.abc import Callable

_ASK_TIMEOUT_S = 2.0
_PAUSE_S = 0.05
_METADATA, _METADATA_VERSION = 3, 1
_CORRELATION = struct.pack(">i", 1)
_CLIENT = b"perennial-probe"


def wait_until(holds: Callable[[], bool], *, within_ms: int) -> bool:
    """Ask until `holds` or the deadline has passed; return the last answer."""
    deadline = time.monotonic() + within_ms / 1000
    while not (answer := holds()) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return answer


def brokers_alive(port: int) -> int:
    """Return how many brokers the one at `port` counts as alive, 0 when it does not answer."""
    body = struct.pack(">i", 0)  # the names of no topic
    head = struct.pack(">hh", _METADATA, _METADATA_VERSION) + _CORRELATION + struct.pack(">h", len(_CLIENT)) + _CLIENT
    try:
        answer = _ask(port, struct.pack(">i", len(head) + len(body)) + head + body)
    except OSError:
        return 0
    return int(struct.unpack_from(">i", answer, len(_CORRELATION))[0])


def redis_answers(port: int) -> bool:
    """Tell whether the Redis at `port` has loaded its data and serves."""
    return redis_command(port, b"PING").startswith(b"+PONG")


def redis_command(port: int, command: bytes) -> bytes:
    """Send one inline command and return the beginning of the answer, empty when nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ASK_TIMEOUT_S) as line:
            line.sendall(command + b"\r\n")
            return line.recv(4096)
    except OSError:
        return b""


def _ask(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=_ASK_TIMEOUT_S) as line:
        line.sendall(request)
        (length,) = struct.unpack(">i", _exactly(line, 4))
        return _exactly(line, length)


def _exactly(line: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        piece = line.recv(length - len(received))
        if not piece:
            message = "connection closed in the middle of an answer"
            raise ConnectionError(message)
        received += piece
    return received
