"""A touch as an e-mail: text and HTML, unsubscribe headers, the same bytes for the same key and content."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from connectors.mail.headers import KnownHeaders, PlainHeader, header_key, header_text, mailbox
from processors.rendering import Rendered
from schemas.outputs import SendTouch

TOUCH_HEADER = "X-Perennial-Touch"
ATTEMPT_HEADER = "X-Perennial-Attempt"
_POLICY = SMTP.clone(header_factory=KnownHeaders())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes; the address is the envelope sender too."""

    address: str
    name: str

    @property
    def domain(self) -> str:
        """The domain of message ids."""
        return self.address.rpartition("@")[2]


def compose(
    command: SendTouch, rendered: Rendered, *, sender: Sender, recipient: str, name: str, unsubscribe_link: str
) -> EmailMessage:
    """Build the message; raises HeaderRefused for any part that must not stand in a header."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = mailbox(sender.name, sender.address)
    message["To"] = mailbox(name, recipient)
    message["Subject"] = header_text(rendered.subject, "subject")
    for header, value in _plain_headers(command, sender, unsubscribe_link):
        message[header] = PlainHeader(header, value)
    message.set_content(rendered.text, cte="base64")
    message.add_alternative(rendered.html, subtype="html", cte="base64")
    message.set_boundary(f"=_{_digest(command.touch_key)}")
    return message


def _plain_headers(command: SendTouch, sender: Sender, unsubscribe_link: str) -> Iterator[tuple[str, str]]:
    yield "Date", format_datetime(datetime.fromtimestamp(command.decided_at_ms // 1000, UTC))
    yield "Message-ID", message_id(command, sender.domain)
    yield TOUCH_HEADER, header_key(command.touch_key)
    yield ATTEMPT_HEADER, str(command.attempt)
    yield "List-Unsubscribe", f"<{unsubscribe_link}>"
    yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"
    yield "Auto-Submitted", "auto-generated"


def message_id(command: SendTouch, domain: str) -> str:
    """The same for every try at one attempt, so that a mailbox can tell a repetition."""
    return f"<{_digest(command.touch_key, str(command.attempt))}@{domain}>"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
