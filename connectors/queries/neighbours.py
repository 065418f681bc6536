"""Whether the neighbours answer: Redis and the mail server, asked politely and left at once."""

import smtplib

import redis

ANSWER_WITHIN_S = 3.0


class NoAnswer(Exception):
    """A neighbour does not answer as it should; the message says how."""


def ask_redis(url: str) -> str:
    """Version and persistence of a Redis.

    Raises:
        NoAnswer: it cannot be reached, or is no Redis.
    """
    try:
        client = redis.Redis.from_url(url, socket_timeout=ANSWER_WITHIN_S, socket_connect_timeout=ANSWER_WITHIN_S)
        with client:
            client.ping()
            told = client.info("server")
    except (redis.RedisError, OSError, ValueError) as problem:
        raise NoAnswer(str(problem)) from None
    return str(told.get("redis_version", "?"))


def ask_smtp(host: str, port: int) -> str:
    """The greeting of a mail server.

    Raises:
        NoAnswer: it cannot be reached, or does not greet.
    """
    try:
        with smtplib.SMTP(timeout=ANSWER_WITHIN_S) as server:
            code, said = server.connect(host, port)
    except (OSError, smtplib.SMTPException) as problem:
        raise NoAnswer(str(problem)) from None
    if code != 220:  # noqa: PLR2004  RFC 5321: service ready
        raise NoAnswer(f"it greets with {code}")
    return said.decode(errors="replace")
