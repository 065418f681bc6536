"""Free ports that stay free while a broker is down."""

import random
import socket

LOWEST, HIGHEST = (
    20_000,
    32_000,
)  # below Linux's ephemeral range (32768+), so no outgoing connection takes the port of a broker that restarts
_TRIES = 200


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` distinct ports of the loopback on which nobody listens now."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(LOWEST, HIGHEST), _TRIES):
        if len(found) == count:
            break
        if _is_free(port):
            found.append(port)
    if len(found) < count:
        message = f"found {len(found)} of {count} free ports between {LOWEST} and {HIGHEST} on 127.0.0.1"
        raise OSError(message)
    return tuple(found)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
