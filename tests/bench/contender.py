"""What a system under test is told at start, and what it tells back: the moment it decoded its first record."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from schemas.topics import changelog_topic
from tests.bench.hardware import stay_on
from tests.bench.workload import TOPICS

Arguments = ParamSpec("Arguments")
Decoded = TypeVar("Decoded")
FIRST_FILE = "first.json"


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one system.

    Attributes:
        prefix: of topics and groups, so that runs share a broker and inputs.
        cadence: records after which a system commits; 0 leaves it to the system's own default.
        output: full name of the topic for decisions; ours takes the catalogue's.
        folder: the run's own: local stores, and the mark of the first record.
        core: processor to stay on; -1 for any.
    """

    bootstrap_servers: str
    prefix: str
    application: str
    partitions: int
    cadence: int
    folder: str
    output: str = ""
    core: int = -1

    @property
    def group(self) -> str:
        """The consumer group, also the transactional id of those that need just one."""
        return self.prefix + self.application

    @property
    def changelog(self) -> str:
        """The changelog, named as Faust names it; Quix has a name of its own."""
        return self.prefix + changelog_topic(self.application)

    def inputs(self) -> dict[str, str]:
        """Full name and logical name of each input topic of the workload."""
        return {self.prefix + topic: topic for topic in TOPICS}


class First(msgspec.Struct, frozen=True, kw_only=True):
    """When a process decoded its first record: monotonic nanoseconds, and processor seconds it had used by then."""

    at_ns: int
    cpu_s: float


def orders_from_command_line() -> Orders:
    """Read the orders named on the command line, and stay on the core they name."""
    orders = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Orders)
    sys.argv[1:] = []  # Faust and Quix read the command line too
    stay_on(orders.core)
    return orders


def marked(orders: Orders, decoder: Callable[Arguments, Decoded]) -> Callable[Arguments, Decoded]:
    """Give the decoder of one topic, which notes the first record that any of them decodes."""
    noted = Path(orders.folder, FIRST_FILE)
    is_noted = False

    def decode(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Decoded:
        nonlocal is_noted
        if not is_noted:
            is_noted = True
            _note(noted)
        return decoder(*args, **kwargs)

    return decode


def _note(path: Path) -> None:
    if path.exists():
        return
    fresh = path.with_suffix(".part")
    fresh.write_text(json.dumps({"at_ns": time.monotonic_ns(), "cpu_s": time.process_time()}), encoding="utf-8")
    fresh.replace(path)
