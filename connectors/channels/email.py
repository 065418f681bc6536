"""E-mail over SMTP; delivery class at-least-once.

The open interval: from the first byte of the content to the answer after its final dot, the server may accept and we
may not learn it. A broken or silent conversation there is reported as unknown, anywhere before it as a refusal. After a
crash in it the touch is called again by the next owner, at most W touches a crash, with the same Message-ID.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import EmailMessage

import aiosmtplib
import stamina

from connectors.allow_list import AllowList
from connectors.mail.connections import Connections
from connectors.mail.headers import AddressRefused, HeaderRefused, ascii_address
from connectors.mail.message import Sender, compose
from connectors.mail.signing import Signer
from connectors.orders import DeliveryClass, Report, in_doubt, refused
from connectors.ports import Gate, Unsendable
from connectors.unsubscribe import TokenMint
from processors.rendering import Templates, render
from processors.wording import RenderingRefused
from schemas.failpoints import failpoint
from schemas.outputs import SendTouch
from schemas.vocabulary import Outcome, ReceiptReason

_START_INPUT, _CLOSING = 354, 421
_COMPLETED, _INTERMEDIATE, _TEMPORARY, _PERMANENT, _BEYOND = 200, 300, 400, 500, 600
_STATUS = re.compile(r"^\d\.\d{1,3}\.\d{1,3}")  # enhanced status code, RFC 3463
_OUR_FAULT = frozenset({454, 530, 534, 535, 538})  # authentication: no fault of the touch, and mended by us


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message on its way: envelope, octets with CRLF line ends, and the id it carries."""

    recipient: str
    octets: bytes
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What every mail of an installation has in common; `allow_list` None stands for a simulator."""

    sender: Sender
    templates: Templates
    tokens: TokenMint
    unsubscribe_base_url: str
    allow_list: AllowList | None
    signer: Signer | None = None

    def compose(self, command: SendTouch, contact: Mapping[str, str], recipient: str) -> EmailMessage:
        """Render and build; raises RenderingRefused or HeaderRefused."""
        link = self._unsubscribe_link(command)
        return compose(
            command,
            render(command, contact, self.templates, unsubscribe_link=link),
            sender=self.sender,
            recipient=recipient,
            name=contact.get("name", ""),
            unsubscribe_link=link,
        )

    def octets(self, message: EmailMessage) -> bytes:
        """The message as it goes over the wire, signed where a domain signs."""
        octets = message.as_bytes()
        return self.signer.signed(octets) if self.signer else octets

    def allows(self, recipient: str) -> bool:
        """Whether this recipient may get mail from here."""
        return self.allow_list is None or self.allow_list.allows(recipient)

    def _unsubscribe_link(self, command: SendTouch) -> str:
        token = self.tokens.token(
            customer_id=command.customer_id, channel=command.channel.value, decided_at_ms=command.decided_at_ms
        )
        return f"{self.unsubscribe_base_url}?t={token}"


class _NotNow(Exception):
    """A definite refusal that a second try a moment later may mend."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(report.detail)


class EmailChannel:
    """Turns commands into mails and mails into reports."""

    name = "smtp"
    delivery_class = DeliveryClass.AT_LEAST_ONCE

    def __init__(self, connections: Connections, letterhead: Letterhead, *, timeout_ms: int, quick_tries: int) -> None:
        self._connections, self._letterhead = connections, letterhead
        self._timeout_s, self._quick_tries = timeout_ms / 1000, quick_tries

    def prepare(self, command: SendTouch, contact: Mapping[str, str]) -> Mail:
        """Build the mail; raises Unsendable with the report for a contact or content that cannot be used."""
        if not contact.get("email", "").strip():
            raise Unsendable(refused(ReceiptReason.NO_CONTACT))
        try:
            recipient = ascii_address(contact["email"].strip())
            message = self._letterhead.compose(command, contact, recipient)
        except (AddressRefused, HeaderRefused) as no:
            raise Unsendable(_permanent(ReceiptReason.CONTACT_INVALID, str(no))) from None
        except RenderingRefused as no:
            raise Unsendable(_permanent(ReceiptReason.RENDERING_REFUSED, str(no))) from None
        if not self._letterhead.allows(recipient):
            raise Unsendable(refused(ReceiptReason.NOT_ON_ALLOW_LIST))
        return Mail(recipient=recipient, octets=self._letterhead.octets(message), message_id=message["Message-ID"])

    async def call(self, message: Mail, gate: Gate) -> Report:
        """Hand a mail over, with a few quick tries at a busy server; never again once it may have been accepted."""
        try:
            async for attempt in stamina.retry_context(
                on=_NotNow, attempts=self._quick_tries, timeout=None, wait_initial=0.1, wait_max=0.5
            ):
                with attempt:
                    return await self._once(message, gate)
        except _NotNow as no:
            return no.report
        raise AssertionError("stamina neither returned nor raised")

    async def find(self, command: SendTouch) -> Report | None:
        """SMTP has no such question."""
        raise NotImplementedError(f"a mail server cannot be asked about {command.touch_key}")

    async def close(self) -> None:
        """Let idle connections go."""
        await self._connections.close()

    async def _once(self, mail: Mail, gate: Gate) -> Report:
        gate.check()
        failpoint("delivery.before_call")
        try:
            async with self._connections.borrow() as client:
                return await self._converse(client, mail, gate)
        except aiosmtplib.SMTPResponseException as said:
            report = report_of(said.code, said.message)
            if said.code == _CLOSING:
                raise _NotNow(report) from None
            return report
        except (aiosmtplib.SMTPException, OSError) as error:
            # nothing of the content was written: the server cannot have accepted
            raise _NotNow(_temporary(ReceiptReason.PROVIDER_UNREACHABLE, type(error).__name__)) from None

    async def _converse(self, client: aiosmtplib.SMTP, mail: Mail, gate: Gate) -> Report:
        await client.mail(self._letterhead.sender.address)
        await client.rcpt(mail.recipient)
        invited = await client.execute_command(b"DATA")
        protocol = client.protocol
        if invited.code != _START_INPUT or protocol is None:
            raise aiosmtplib.SMTPDataError(invited.code, invited.message)
        gate.check()
        protocol.write(mail.octets.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        failpoint("delivery.during_call")
        try:
            answer = await protocol.read_response(timeout=self._timeout_s)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return in_doubt(f"no answer to the content: {type(error).__name__}")
        return replace(report_of(answer.code, answer.message), provider_message_id=mail.message_id)


def report_of(code: int, message: str) -> Report:
    """What an answer means; only its numbers are kept, because servers quote addresses in their texts."""
    detail = " ".join((str(code), *_STATUS.findall(message[:16])))
    if _COMPLETED <= code < _INTERMEDIATE:
        return Report(outcome=Outcome.ACCEPTED, reason=ReceiptReason.ACCEPTED, detail=detail)
    if code in _OUR_FAULT:
        return _temporary(ReceiptReason.PROVIDER_REFUSED, detail)
    if _TEMPORARY <= code < _PERMANENT:
        return _temporary(ReceiptReason.PROVIDER_BUSY, detail)
    if _PERMANENT <= code < _BEYOND:
        return _permanent(ReceiptReason.PROVIDER_REFUSED, detail)
    return in_doubt(f"an answer without meaning: {detail}")


def _temporary(reason: ReceiptReason, detail: str) -> Report:
    return Report(outcome=Outcome.TEMPORARY_FAILURE, reason=reason, detail=detail)


def _permanent(reason: ReceiptReason, detail: str) -> Report:
    return Report(outcome=Outcome.PERMANENT_FAILURE, reason=reason, detail=detail)
