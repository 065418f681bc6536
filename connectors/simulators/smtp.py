"""A mail provider that speaks real SMTP, fails on demand and remembers every mail before it answers.

`python -m connectors.simulators.smtp --port 0 --inbox FILE` prints `{"port": N}` and serves until it is stopped.
"""

import argparse
import asyncio
import hashlib
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from aiosmtpd.smtp import SMTP, Envelope, Session

from connectors.mail.message import ATTEMPT_HEADER, TOUCH_HEADER
from connectors.simulators.faults import Drawn, Fault, Faults, parse_faults
from connectors.simulators.inbox import Inbox

HANG_S = 120.0
LARGEST_MAIL_BYTES = 1 << 20
ANSWERS = {
    Fault.NONE: "250 2.0.0 accepted",
    Fault.SLOW: "250 2.0.0 accepted",
    Fault.BUSY: "451 4.3.2 busy, try again",
    Fault.REFUSE: "554 5.7.1 refused",
}
NO_ANSWER = 0


class Receiver:
    """aiosmtpd's handler: draws the fault, keeps the mail, then answers or does not."""

    def __init__(self, inbox: Inbox, faults: Faults) -> None:
        self._inbox, self._faults = inbox, faults
        self._calls: Counter[tuple[str, int]] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Keep a mail whose final dot has been read."""
        del session
        recipient, octets = envelope.rcpt_tos[0], envelope.content
        parsed = message_from_bytes(octets if isinstance(octets, bytes) else b"")
        key, attempt = unquote(str(parsed.get(TOUCH_HEADER, ""))), int(str(parsed.get(ATTEMPT_HEADER, "0")))
        self._calls[key, attempt] += 1
        drawn = self._faults.draw(key=key, attempt=attempt, call=self._calls[key, attempt], recipient=recipient)
        seq = self._inbox.received(
            {
                "channel": "email",
                "key": key,
                "attempt": attempt,
                "acted": drawn.fault.is_accepted,
                "fault": drawn.fault.value,
                "recipient": recipient,
                "recipient_hash": _sha256(recipient.lower()),
                **content_of(parsed),
            }
        )
        return await self._answer(server, seq, drawn)

    async def _answer(self, server: SMTP, seq: int, drawn: Drawn) -> str:
        answer = ANSWERS.get(drawn.fault)
        if drawn.delay_ms:
            await asyncio.sleep(drawn.delay_ms / 1000)
        if answer is not None:
            self._inbox.answered(seq, int(answer[:3]))
            return answer
        self._inbox.answered(seq, NO_ANSWER)
        if drawn.fault is Fault.TIMEOUT:
            await asyncio.sleep(HANG_S)
        if isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return "421 4.3.2 never read"


class SmtpSimulator:
    """The provider in this process, on a loop that runs already: `async with SmtpSimulator(...) as simulator`."""

    def __init__(self, *, inbox: Path, faults: Faults | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._inbox, self._host, self._port = Inbox(inbox), host, port
        self._receiver = Receiver(self._inbox, faults or Faults())
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once entered."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else self._port

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(self._conversation, self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        self._inbox.close()

    def _conversation(self) -> SMTP:
        return SMTP(self._receiver, hostname="simulator", enable_SMTPUTF8=True, data_size_limit=LARGEST_MAIL_BYTES)


def content_of(parsed: Message) -> dict[str, object]:
    """What a reader of the mail sees, decoded, and its hashes."""
    text, html = _part(parsed, "text/plain"), _part(parsed, "text/html")
    headers = {name: str(make_header(decode_header(value))) for name, value in parsed.items()}
    return {
        "subject": headers.get("Subject", ""),
        "text": text,
        "html_sha256": _sha256(html),
        "body_sha256": _sha256(f"{text}\0{html}"),
        "headers": headers,
    }


def _part(parsed: Message, kind: str) -> str:
    for part in parsed.walk():
        octets = part.get_payload(decode=True)
        if part.get_content_type() == kind and isinstance(octets, bytes):
            return octets.decode(part.get_content_charset("utf-8"), "replace").replace("\r\n", "\n")
    return ""


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


async def serve(*, inbox: Path, faults: Faults, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; the port is printed first."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with SmtpSimulator(inbox=inbox, faults=faults, host=host, port=port) as simulator:
        sys.stdout.write(json.dumps({"port": simulator.port}) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="connectors.simulators.smtp", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--inbox", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", default="", help="busy=0.05,drop=0.01,slow=0.1:250")
    parser.add_argument("--rule", action="append", default=[], help="bad@.*=refuse; may be repeated")
    told = parser.parse_args(arguments)
    faults = parse_faults(seed=told.seed, chances=told.fault, rules=tuple(told.rule))
    asyncio.run(serve(inbox=told.inbox, faults=faults, host=told.host, port=told.port))


if __name__ == "__main__":
    main()
