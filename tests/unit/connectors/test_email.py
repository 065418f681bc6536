"""The e-mail channel over a real SMTP conversation with the simulator: what arrives, and what is said about it."""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.allow_list import AllowList, parse_allow_list
from connectors.channel_process import packaged_templates
from connectors.channels.email import EmailChannel, Letterhead, report_of
from connectors.mail.connections import Connections, MailServer
from connectors.mail.message import Sender
from connectors.mail.signing import signer_from
from connectors.orders import Report
from connectors.ports import Unsendable, Withheld
from connectors.simulators.faults import Faults, parse_faults
from connectors.simulators.smtp import SmtpSimulator
from connectors.unsubscribe import TokenMint, read_token
from schemas.outputs import SendTouch
from schemas.vocabulary import Outcome, ReceiptReason
from tests.builders import NOW_MS, a_command

SECRET = b"secret"
COMMAND = a_command(template="renewal")
NASTY = [
    "A&B#C<script>",
    'O\'Neil "Quotes"',
    "Null",
    "None",
    "{{7*7}}",
    "%0d%0aBcc:x@y",
    "🧑‍🚀 Zoë",
    "𠮷野家",
    "مرحبا",
    "e\u0301",
    "Doe, John",
    "=?utf-8?q?a=0D=0ABcc:_b?=",
]


class OpenGate:
    """Lets every call through and counts how often it was asked."""

    def __init__(self, *answers: Withheld | None) -> None:
        self.asked, self._answers = 0, list(answers)

    def check(self) -> None:
        """Pass, unless told otherwise."""
        self.asked += 1
        if self._answers and (answer := self._answers.pop(0)) is not None:
            raise answer


def letterhead(allow_list: AllowList | None = None) -> Letterhead:
    return Letterhead(
        sender=Sender(address="renewals@perennial.example", name="Renewals"),
        templates=packaged_templates(),
        tokens=TokenMint(key_id="1", secret=SECRET),
        unsubscribe_base_url="https://unsubscribe.example.com/u",
        allow_list=allow_list,
    )


def channel(port: int, *, timeout_ms: int = 2_000, allow_list: AllowList | None = None) -> EmailChannel:
    server = MailServer(host="127.0.0.1", port=port, timeout_ms=timeout_ms)
    return EmailChannel(Connections(server), letterhead(allow_list), timeout_ms=timeout_ms, quick_tries=2)


def rows(inbox: Path, line: str = "received") -> list[dict[str, object]]:
    return [row for text in inbox.read_text("utf-8").splitlines() if (row := json.loads(text))["line"] == line]


def send(
    inbox: Path,
    contact: Mapping[str, str],
    *,
    command: SendTouch = COMMAND,
    faults: Faults | None = None,
    gate: OpenGate | None = None,
    times: int = 1,
    timeout_ms: int = 2_000,
) -> list[Report]:
    """Send one mail so many times over one channel."""

    async def run() -> list[Report]:
        async with SmtpSimulator(inbox=inbox, faults=faults) as simulator:
            email = channel(simulator.port, timeout_ms=timeout_ms)
            mail = email.prepare(command, contact)
            reports = [await email.call(mail, gate or OpenGate()) for _ in range(times)]
            await email.close()
            return reports

    return asyncio.run(run())


def anna(name: str = "Anna") -> dict[str, str]:
    return {"name": name, "email": "anna@example.com"}


@pytest.mark.parametrize("name", NASTY)
def test_any_name_arrives_as_it_is_and_breaks_nothing(name: str, tmp_path: Path) -> None:
    (report,) = send(tmp_path / "inbox", anna(name))
    assert report.outcome is Outcome.ACCEPTED
    (row,) = rows(tmp_path / "inbox")
    assert name.replace("e\u0301", "é") in str(row["text"])
    headers = row["headers"]
    assert isinstance(headers, dict)
    assert headers["To"].removesuffix(">").endswith("anna@example.com")
    assert "Bcc" not in headers
    assert row["recipient"] == "anna@example.com"


def test_a_mail_says_what_is_to_be_renewed_and_until_when(tmp_path: Path) -> None:
    send(tmp_path / "inbox", anna())
    (row,) = rows(tmp_path / "inbox")
    text = str(row["text"])
    for part in ("Anna", "Atlas CRM", COMMAND.expires_on.isoformat(), "12,000.00 CNY", "3", "5%"):
        assert part in text
    assert "Atlas CRM" in str(row["subject"])
    assert (row["key"], row["attempt"], row["acted"], row["fault"]) == (COMMAND.touch_key, 1, True, "none")


def test_a_mail_can_be_unsubscribed_from_by_one_post(tmp_path: Path) -> None:
    send(tmp_path / "inbox", anna())
    headers = rows(tmp_path / "inbox")[0]["headers"]
    assert isinstance(headers, dict)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>")
    token = read_token(link.partition("?t=")[2], {"1": SECRET}, NOW_MS)
    assert (token.customer_id, token.channel) == (COMMAND.customer_id, "email")


def test_the_same_touch_is_the_same_mail_however_often_it_is_built() -> None:
    email = channel(1)
    assert email.prepare(COMMAND, anna()) == email.prepare(COMMAND, anna())


def test_connections_are_used_again(tmp_path: Path) -> None:
    assert [report.outcome for report in send(tmp_path / "inbox", anna(), times=3)] == [Outcome.ACCEPTED] * 3


@pytest.mark.parametrize(
    ("fault", "outcome", "reason", "calls"),
    [
        pytest.param("busy", Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_BUSY, 1, id="4xx"),
        pytest.param("refuse", Outcome.PERMANENT_FAILURE, ReceiptReason.PROVIDER_REFUSED, 1, id="5xx"),
        pytest.param("drop", Outcome.UNKNOWN, ReceiptReason.IN_DOUBT, 1, id="accepts, then drops"),
        pytest.param("timeout", Outcome.UNKNOWN, ReceiptReason.IN_DOUBT, 1, id="silence after the final dot"),
        pytest.param("slow:50", Outcome.ACCEPTED, ReceiptReason.ACCEPTED, 1, id="slow"),
    ],
)
def test_what_a_provider_does_has_one_name(
    fault: str, outcome: Outcome, reason: ReceiptReason, calls: int, tmp_path: Path
) -> None:
    faults = parse_faults(seed=1, rules=(f".*={fault}",))
    (report,) = send(tmp_path / "inbox", anna(), faults=faults, timeout_ms=300)
    assert (report.outcome, report.reason) == (outcome, reason)
    assert len(rows(tmp_path / "inbox")) == calls


def test_a_server_that_is_not_there_is_a_temporary_refusal() -> None:
    async def run() -> Report:
        email = channel(1, timeout_ms=300)
        return await email.call(email.prepare(COMMAND, anna()), OpenGate())

    report = asyncio.run(run())
    assert (report.outcome, report.reason) == (Outcome.TEMPORARY_FAILURE, ReceiptReason.PROVIDER_UNREACHABLE)


def test_what_is_withheld_at_the_last_moment_never_reaches_the_provider(tmp_path: Path) -> None:
    gate = OpenGate(None, Withheld(ReceiptReason.FENCED))
    with pytest.raises(Withheld):
        send(tmp_path / "inbox", anna(), gate=gate)
    assert gate.asked == 2
    assert rows(tmp_path / "inbox") == []


@pytest.mark.parametrize(
    ("code", "message", "outcome", "detail"),
    [
        (250, "2.0.0 ok", Outcome.ACCEPTED, "250 2.0.0"),
        (421, "4.3.2 anna@example.com go away", Outcome.TEMPORARY_FAILURE, "421 4.3.2"),
        (535, "5.7.8 bad credentials", Outcome.TEMPORARY_FAILURE, "535 5.7.8"),
        (550, "anna@example.com unknown", Outcome.PERMANENT_FAILURE, "550"),
        (-1, "nonsense", Outcome.UNKNOWN, "an answer without meaning: -1"),
    ],
)
def test_of_an_answer_only_its_numbers_are_kept(code: int, message: str, outcome: Outcome, detail: str) -> None:
    report = report_of(code, message)
    assert (report.outcome, report.detail) == (outcome, detail)


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ({}, ReceiptReason.NO_CONTACT),
        ({"name": "Anna", "email": "  "}, ReceiptReason.NO_CONTACT),
        ({"name": "Anna", "email": "anna@@example.com"}, ReceiptReason.CONTACT_INVALID),
        ({"name": "Anna", "email": "a@example.com, b@example.com"}, ReceiptReason.CONTACT_INVALID),
        ({"name": "A\r\nBcc: b@example.com", "email": "anna@example.com"}, ReceiptReason.RENDERING_REFUSED),
    ],
)
def test_a_contact_that_cannot_be_used_is_a_report_and_no_crash(contact: dict[str, str], reason: ReceiptReason) -> None:
    with pytest.raises(Unsendable) as refusal:
        channel(1).prepare(COMMAND, contact)
    assert refusal.value.report.reason is reason
    assert "example.com" not in refusal.value.report.detail


def test_a_recipient_outside_the_list_gets_nothing() -> None:
    email = channel(1, allow_list=parse_allow_list("bob@example.com"))
    with pytest.raises(Unsendable) as refusal:
        email.prepare(COMMAND, anna())
    assert refusal.value.report.reason is ReceiptReason.NOT_ON_ALLOW_LIST


def test_a_signed_mail_verifies(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    file = tmp_path / "dkim.pem"
    pem, pkcs = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    file.write_bytes(key.private_bytes(pem, pkcs, serialization.NoEncryption()))
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    signer = signer_from(domain="perennial.example", selector="s1", key_file=file)
    assert signer is not None
    signed = signer.signed(channel(1).prepare(COMMAND, anna()).octets)
    assert dkim.verify(signed, dnsfunc=lambda *_args, **_kwargs: record)
    assert b"list-unsubscribe-post" in signed[: signed.index(b"From:")].lower()
