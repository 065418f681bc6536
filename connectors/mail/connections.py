"""Connections to a mail server: opened when needed, used again while they are healthy, never shared by two calls."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiosmtplib

from connectors.settings import SmtpSecurity

USED_AT_MOST = 100
IDLE_AT_MOST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail goes, and how to get in."""

    host: str
    port: int
    timeout_ms: int
    security: SmtpSecurity = SmtpSecurity.NONE
    username: str = ""
    password: str = field(default="", repr=False)
    local_hostname: str = "perennial.localdomain"

    def client(self) -> aiosmtplib.SMTP:
        """A client that is not connected yet."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.timeout_ms / 1000,
            use_tls=self.security is SmtpSecurity.TLS,
            start_tls=self.security is SmtpSecurity.STARTTLS,
            username=self.username or None,
            password=self.password or None,
            local_hostname=self.local_hostname,
        )


@dataclass(slots=True)
class _Idle:
    client: aiosmtplib.SMTP
    used: int
    since_s: float


class Connections:
    """At most as many as there are calls under way; a call that ends badly takes its connection with it."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._idle: list[_Idle] = []

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connected client for one conversation; raises what aiosmtplib does when there is no getting in."""
        client, used = await self._connected()
        try:
            yield client
        except BaseException:
            client.close()
            raise
        if client.is_connected and used < USED_AT_MOST:
            self._idle.append(_Idle(client, used + 1, time.monotonic()))
        else:
            client.close()

    async def close(self) -> None:
        """Close what is idle."""
        idle, self._idle = self._idle, []
        for one in idle:
            one.client.close()

    async def _connected(self) -> tuple[aiosmtplib.SMTP, int]:
        while self._idle:
            one = self._idle.pop()
            if one.client.is_connected and time.monotonic() - one.since_s < IDLE_AT_MOST_S:
                return one.client, one.used
            one.client.close()
        client = self._server.client()
        await client.connect()
        await client.ehlo()
        return client, 0
