"""How a channel process is put together from its settings, and what it will not start with."""

import pytest

from connectors.channel_process import process_names, provider_for
from connectors.ports import Unsendable
from connectors.settings import ChannelSettings
from schemas.errors import ExitError
from schemas.vocabulary import Channel, ReceiptReason
from tests.builders import a_command

CONTACT = {"name": "Anna", "email": "anna@example.com"}
COMMAND = a_command(template="renewal")


def settings(**changes: object) -> ChannelSettings:
    return ChannelSettings.model_validate({"bootstrap_servers": "x", "redis_url": "x", **changes})


def test_the_simulator_gets_everything() -> None:
    assert (
        provider_for(Channel.EMAIL, settings(smtp_port=2_525)).prepare(COMMAND, CONTACT).recipient == "anna@example.com"
    )


def test_a_fresh_installation_with_a_real_server_sends_to_nobody() -> None:
    email = provider_for(Channel.EMAIL, settings(smtp_host="mail.example.com", unsubscribe_key="k"))
    with pytest.raises(Unsendable) as refusal:
        email.prepare(COMMAND, CONTACT)
    assert refusal.value.report.reason is ReceiptReason.NOT_ON_ALLOW_LIST


def test_a_relay_on_this_machine_is_no_simulator() -> None:
    with pytest.raises(Unsendable):
        provider_for(Channel.EMAIL, settings(unsubscribe_key="k")).prepare(COMMAND, CONTACT)


def test_a_real_server_needs_a_secret_for_unsubscribe_links() -> None:
    with pytest.raises(ExitError, match="PERENNIAL_UNSUBSCRIBE_KEY"):
        provider_for(Channel.EMAIL, settings(smtp_host="mail.example.com"))


def test_a_channel_of_a_later_release_is_named() -> None:
    with pytest.raises(ExitError, match="wecom"):
        provider_for(Channel.WECOM, settings())


def test_secrets_do_not_show() -> None:
    shown = repr(settings(smtp_password="canary", unsubscribe_key="canary", master_key="canary"))
    assert "canary" not in shown


def test_processes_share_a_group_and_never_a_transactional_id() -> None:
    one, other = (process_names("renewals", Channel.EMAIL) for _ in range(2))
    assert one.group == other.group
    assert one.transactional_id != other.transactional_id
