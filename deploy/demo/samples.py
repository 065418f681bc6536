"""The mails that a run shows: two to customers with ordinary names, and one to a name planted to break things."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.demo.account import Mail
from deploy.demo.corpus import HOSTILE_PEOPLE, ORDINARY_PEOPLE
from deploy.demo.plan import Fields

PLANTED = "a hostile name, planted on purpose"
_ORDINARY, _HOSTILE = 2, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A mail worth showing; `remark` says what is odd about its customer, empty where nothing is."""

    mail: Mail
    remark: str = ""


def samples_of(mails: Sequence[Mail], contacts: Sequence[Fields]) -> tuple[Sample, ...]:
    """Choose from all over the run; fewer where a kind of customer got no mail."""
    name_at = {str(one["email"]): _unnumbered(str(one["name"])) for one in contacts}
    ordinary = [mail for mail in mails if name_at.get(mail.recipient) in ORDINARY_PEOPLE]
    hostile = [mail for mail in mails if name_at.get(mail.recipient) in HOSTILE_PEOPLE]
    return (
        *(Sample(mail=mail) for mail in _spread(ordinary, _ORDINARY)),
        *(Sample(mail=mail, remark=PLANTED) for mail in _spread(hostile, _HOSTILE)),
    )


def _unnumbered(name: str) -> str:
    """The name as the corpus has it, without the number that the generated world adds."""
    return name.rpartition(" ")[0]


def _spread(mails: Sequence[Mail], wanted: int) -> list[Mail]:
    chosen = min(wanted, len(mails))
    return [mails[len(mails) * part // chosen] for part in range(chosen)]
