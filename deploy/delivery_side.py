"""Composition of the delivery side: channels, contacts and simulators, from their settings."""

from pathlib import Path

from connectors import channel_process
from connectors.contacts import process as contacts_process
from connectors.settings import ChannelSettings, ContactsSettings
from connectors.simulators import smtp
from deploy.settings import adopt_standing, installation, settings_of
from schemas.vocabulary import Channel


def run_channel(channel: Channel) -> None:
    """Deliver one channel's commands until told to stop."""
    channel_process.run(channel, settings_of(ChannelSettings), codec=installation().codec())


def run_contacts() -> None:
    """Keep the contact store until told to stop."""
    contacts_process.run(settings_of(ContactsSettings), codec=installation().codec())


def run_smtp_simulator(port: int, inbox: Path) -> None:
    """Receive mail on the given port, else where this installation's e-mail channel sends, until told to stop."""
    adopt_standing()
    inbox.parent.mkdir(parents=True, exist_ok=True)
    smtp.main(["--port", str(port or installation().smtp_port), "--inbox", str(inbox)])
