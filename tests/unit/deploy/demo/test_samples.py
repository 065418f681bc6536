"""The mails that a run shows: two ordinary customers, and one whose name was planted."""

from deploy.demo.account import Mail
from deploy.demo.corpus import HOSTILE_PEOPLE, ORDINARY_PEOPLE, PEOPLE
from deploy.demo.samples import PLANTED, samples_of
from schemas.identity import TouchKey

NAMES = ("Null 1", "Anna Müller 2", "Null 3", "Zoë Ångström 4", "%s %d %n 5")
CONTACTS = tuple({"name": name, "email": f"{name[-1]}@mail.example"} for name in NAMES)


def mails(*recipients: str) -> list[Mail]:
    return [
        Mail(key=TouchKey("K"), attempt=1, received_ms=0, recipient=f"{one}@mail.example", subject="", text="")
        for one in recipients
    ]


def test_two_ordinary_customers_and_one_planted_name_are_shown() -> None:
    shown = samples_of(mails("1", "2", "3", "4", "5"), CONTACTS)
    assert [(one.mail.recipient[0], one.remark) for one in shown] == [("2", ""), ("4", ""), ("1", PLANTED)]


def test_fewer_mails_show_fewer_samples() -> None:
    assert [one.mail.recipient[0] for one in samples_of(mails("4"), CONTACTS)] == ["4"]
    assert samples_of([], CONTACTS) == ()


def test_the_names_to_show_are_among_those_drawn_and_none_is_both() -> None:
    assert set(PEOPLE) >= ORDINARY_PEOPLE | HOSTILE_PEOPLE
    assert not ORDINARY_PEOPLE & HOSTILE_PEOPLE
