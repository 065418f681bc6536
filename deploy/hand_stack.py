"""`perennial up` and `down`: a local installation for hand work, with a policy in force and a next step on screen."""

import secrets
from importlib import resources
from pathlib import Path

from rich.console import Console

from connectors.contacts.crypto import new_master_key
from deploy.installing import apply_to
from deploy.local.ports import free_ports
from deploy.local.standing import STATE_FOLDER, StandingPlan, StandingStack, down, find, up
from deploy.publishing import publish_policy
from deploy.settings import installation, note_standing

PRESET = "closing.yaml"
_NEXT = """
Try it by hand, in this folder:

  perennial run --virtual                        in a second terminal: everything but the clock
  perennial publish FILE                         customers and contracts, see README.md
  perennial clock --virtual --from 2026-02-02 --until 2026-03-01
  perennial explain CUSTOMER                     what was sent, what was not and why, what comes next
  perennial down                                 stops Kafka and Redis

Without --virtual time is real. Each process also has a command of its own: `perennial --help`.
"""


def start_stack(*, brokers: int, partitions: int, folder: Path = STATE_FOLDER) -> None:
    """Start what is missing, install it, publish the preset policy where none is in force, print the next steps."""
    console = Console()
    is_new = find(folder) is None
    stack = up(StandingPlan(brokers=brokers), folder)
    if is_new:
        _settle_in(stack, partitions, folder)
    here = installation(folder)
    if is_new:
        apply_to(here)
        publish_policy(here, preset(), operator="up")
    console.print(f"Kafka  {here.bootstrap_servers}\nRedis  {here.redis_url}\nmail   {here.smtp_host}:{here.smtp_port}")
    console.print(_NEXT, markup=False, highlight=False)


def stop_stack(folder: Path = STATE_FOLDER) -> None:
    """Stop it, or say that nothing stands here."""
    was = down(folder)
    Console().print("stopped" if was else f"nothing stands in {folder.resolve()}")


def preset() -> str:
    """The text of the packaged policy."""
    return resources.files("processors").joinpath("presets", PRESET).read_text(encoding="utf-8")


def _settle_in(stack: StandingStack, partitions: int, folder: Path) -> None:
    key_file = folder / "master.key"
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(new_master_key() + "\n")
    note_standing(
        {
            "PERENNIAL_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
            "PERENNIAL_REDIS_URL": stack.redis_url,
            "PERENNIAL_PARTITIONS": str(partitions),
            "PERENNIAL_STATE_DIR": str(folder.resolve() / f"stores-{secrets.token_hex(4)}"),
            "PERENNIAL_MASTER_KEY_FILE": str(key_file.resolve()),
            "PERENNIAL_SMTP_HOST": "127.0.0.1",
            "PERENNIAL_SMTP_PORT": str(free_ports(1)[0]),
        },
        folder,
    )
