"""A touch as an e-mail: text and HTML, unsubscribe headers, the same bytes for the same key and content."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from connectors.mail.headers import header_key, header_text, mailbox
from processors.rendering import Rendered
from schemas.outputs import SendTouch

TOUCH_HEADER = "X-Perennial-Touch"
ATTEMPT_HEADER = "X-Perennial-Attempt"
_POLICY = SMTP.clone(max_line_length=200)  # keys and tokens fit a line, so that no reader has to unfold them


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
    message["Date"] = format_datetime(datetime.fromtimestamp(command.decided_at_ms // 1000, UTC))
    message["Message-ID"] = message_id(command, sender.domain)
    message[TOUCH_HEADER] = header_key(command.touch_key)
    message[ATTEMPT_HEADER] = str(command.attempt)
    message["List-Unsubscribe"] = f"<{header_text(unsubscribe_link, 'unsubscribe link')}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="base64")
    message.add_alternative(rendered.html, subtype="html", cte="base64")
    message.set_boundary(f"=_{_digest(command.touch_key)}")
    return message


def message_id(command: SendTouch, domain: str) -> str:
    """The same for every try at one attempt, so that a mailbox can tell a repetition."""
    return f"<{_digest(command.touch_key, str(command.attempt))}@{domain}>"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
