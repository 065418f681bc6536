"""What this release's policies say, read from the published content by the oracle itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

import yaml

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
WEEK_MS = 7 * 24 * HOUR_MS
WORKING_WEEK = frozenset({1, 2, 3, 4, 5})


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceStep:
    """One step: so many local days before the last covered day; `order` 0 is the first in time."""

    name: str
    days_before: int
    order: int
    channel: str = "email"
    is_exempt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The fields that decide which touches must and must not leave; `working_days` are ISO weekdays."""

    number: int
    steps: tuple[CadenceStep, ...]
    default_zone: str = "UTC"
    send_from: time = time(9)
    send_until: time = time(18)
    working_days: frozenset[int] = WORKING_WEEK
    lasting: tuple[tuple[int, int], ...] = ((30, 7), (1, 2))
    touches_a_day: int = 1
    touches_a_period: int = 3
    period_ms: int = WEEK_MS
    send_within_ms: int = 4 * HOUR_MS
    call_timeout_ms: int = MINUTE_MS

    def lasts_days(self, step: CadenceStep) -> int:
        """Local days that a step's window lasts at most; 0 when it closes with the send hours of its day."""
        return next((days for from_days, days in self.lasting if step.days_before >= from_days), 0)


def read_policy(number: int, content: str) -> Policy:
    """Read one published content, YAML or JSON; KeyError, TypeError or ValueError where it is not what we know."""
    try:
        return policy_from(number, yaml.safe_load(content))
    except yaml.YAMLError as unreadable:
        raise ValueError("the content is no YAML") from unreadable


def policy_from(number: int, content: Mapping[str, Any]) -> Policy:
    """Read the fields of a policy's data form."""
    hours, caps = content["send_hours"], content["caps"]
    exempt = frozenset(caps.get("exempt_steps", ()))
    delivery = content.get("delivery", {})
    return Policy(
        number=number,
        steps=tuple(
            CadenceStep(
                name=step["name"],
                days_before=int(step["days"]),
                order=order,
                channel=step["channel"],
                is_exempt=step["name"] in exempt,
            )
            for order, step in enumerate(content["cadence"])
        ),
        default_zone=content["default_zone"],
        send_from=time.fromisoformat(hours["opens"]),
        send_until=time.fromisoformat(hours["closes"]),
        working_days=frozenset(hours["working_days"]),
        lasting=tuple(
            sorted(((int(line["from_days"]), int(line["lasts_days"])) for line in content["windows"]), reverse=True)
        ),
        touches_a_day=int(caps["per_local_day"]),
        touches_a_period=int(caps["per_period"]),
        period_ms=int(caps["period_ms"]),
        send_within_ms=int(delivery.get("send_within_ms", 4 * HOUR_MS)),
        call_timeout_ms=int(delivery.get("call_timeout_ms", MINUTE_MS)),
    )
