"""`perennial run`: every process of a small system in one terminal, and each mail as it arrives."""

import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.demo.account import Mail
from deploy.demo.inbox import accepted_mails
from deploy.local.standing import STATE_FOLDER
from deploy.processes import Fleet
from deploy.settings import installation

_LOOK_EVERY_S = 0.5


def run_everything(*, is_virtual: bool) -> None:
    """Run mail simulator, contacts, channel and worker (and the real clock) until Ctrl-C, showing what arrives."""
    here, console = installation(), Console()
    inbox = (STATE_FOLDER / "inbox" / "email.jsonl").resolve()
    with Fleet({"PERENNIAL_VIRTUAL_TIME": str(is_virtual).lower()}) as fleet:
        fleet.perennial("simulator", "simulator", "smtp", "--inbox", str(inbox))
        fleet.perennial("contacts", "contacts")
        fleet.perennial("channel", "channel", "email")
        fleet.perennial("worker", "worker")
        if not is_virtual:
            fleet.perennial("clock", "clock")
        console.print(f"running for {here.bootstrap_servers}: {', '.join(fleet.members)}; Ctrl-C stops them")
        if is_virtual:
            console.print("time stands still until `perennial clock --virtual --from DAY --until DAY`")
        for mail in _arriving(inbox, fleet):
            console.print(Text(f"mail to {mail.recipient}: {mail.subject}"))


def _arriving(inbox: Path, fleet: Fleet) -> Iterator[Mail]:
    """Give each new mail; raises ChildEnded when a process is gone."""
    shown = len(accepted_mails(inbox))
    while True:
        mails = accepted_mails(inbox)
        yield from mails[shown:]
        shown = len(mails)
        fleet.check()
        time.sleep(_LOOK_EVERY_S)
