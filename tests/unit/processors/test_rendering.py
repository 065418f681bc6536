"""Templates filled with the corpus of bad input: refused with a reason, or said right; never "null" (R14 R60 R61)."""

import json
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from processors.rendering import Rendered, TemplateRefused, Templates, render
from processors.wording import RenderingRefused
from schemas.outputs import SendTouch
from tests.builders import a_command

CORPUS = json.loads(Path(__file__).with_name("corpus.json").read_text("utf-8"))
FOLDER = files("processors") / "templates"
TEMPLATES = Templates(
    {one.name.removesuffix(".j2"): one.read_text("utf-8") for one in FOLDER.iterdir() if one.name.endswith(".j2")}
)
NEVER = ("null", "None", "undefined", "NaN", "{{", "{%", "\ufffd")


def a_touch(**changes: object) -> SendTouch:
    return a_command(**{"template": "renewal", **changes})


def rendered(command: SendTouch, name: str = "Anna") -> Rendered:
    return render(command, {"name": name}, TEMPLATES)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("case", CORPUS["names"], ids=lambda case: case["why"])
def test_a_name_is_said_as_it_is_or_refused(case: dict[str, str], locale: str) -> None:
    name = case["value"] * int(case.get("times", "1"))
    if "refused" in case:
        with pytest.raises(RenderingRefused, match=case["refused"]) as refusal:
            rendered(a_touch(locale=locale), name)
        assert name[:5] not in str(refusal.value)
        return
    message = rendered(a_touch(locale=locale), name)
    said = case.get("said", name)
    assert said in message.text
    assert case.get("html", said) in message.html
    without = message.text.replace(said, "") if said else message.text
    assert not [word for word in NEVER if word in without]


@pytest.mark.parametrize("case", CORPUS["amounts"], ids=lambda case: case["why"])
def test_an_amount_is_said_with_its_currency_or_refused(case: dict[str, str]) -> None:
    command = a_touch(amount_minor=int(case["minor"]), currency=case["currency"], locale="en")
    if "refused" in case:
        with pytest.raises(RenderingRefused, match=case["refused"]):
            rendered(command)
        return
    text = rendered(command).text
    assert (f"Renewal amount: {case['said']}\n" in text) == bool(case["said"])
    assert ("Renewal amount" in text) == bool(case["said"])


@pytest.mark.parametrize(
    ("locale", "expires_on", "said"),
    [
        ("en", date(2028, 2, 29), "29 February 2028 (2028-02-29)"),
        ("en-US", date(2026, 12, 31), "31 December 2026 (2026-12-31)"),
        ("zh-CN", date(2028, 2, 29), "2028年2月29日"),
        ("zh_Hans", date(9999, 12, 31), "9999年12月31日"),
        ("xx", date(2026, 1, 1), "1 January 2026 (2026-01-01)"),
        ("", date(2026, 1, 1), "1 January 2026 (2026-01-01)"),
    ],
)
def test_a_date_is_said_in_the_customers_language(locale: str, expires_on: date, said: str) -> None:
    assert said in rendered(a_touch(locale=locale, expires_on=expires_on)).text


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_message_has_the_fields_it_must_have(locale: str) -> None:
    command = a_touch(locale=locale, modules=7, discount_basis_points=1_250, special_terms="net 60")
    message = rendered(command)
    for part in ("Anna", "Atlas CRM", "12,000.00 CNY", "7", "12.5%", "net 60", command.renewal_link):
        assert part in message.text
        assert part in message.html
    assert "\n" not in message.subject


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"product_name": ""}, "product name"),
        ({"product_name": "a\nb"}, "product name"),
        ({"contract_id": " "}, "contract id"),
        ({"renewal_link": "javascript:alert(1)"}, "renewal link"),
        ({"renewal_link": "https://x.example/a b"}, "renewal link"),
        ({"discount_basis_points": 10_001}, "discount"),
        ({"modules": -1}, "modules"),
        ({"template": "nothing"}, "template"),
    ],
)
def test_what_cannot_be_filled_is_refused_by_its_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(RenderingRefused, match=field):
        rendered(a_touch(**changes))


def test_nobody_is_called_by_an_empty_name() -> None:
    assert "Dear Acme," in render(a_touch(locale="en"), {"name": " ", "company": "Acme"}, TEMPLATES).text
    assert "Dear customer," in render(a_touch(locale="en"), {}, TEMPLATES).text


def test_the_last_reminder_says_so() -> None:
    assert "last reminder" in rendered(a_touch(locale="en", step="t0")).text
    assert "last reminder" not in rendered(a_touch(locale="en", step="t90")).text


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ name.__class__ }}",
        "{{ name|attr('__class__') }}",
        "{{ name|format('x') }}",
        "{{ name['x'] }}",
        "{{ range(1000000000) }}",
        "{% for a in name %}{% endfor %}",
        "{% macro a() %}{% endmacro %}",
        "{% set a = name %}",
        "{% include 'renewal.en.text' %}",
        "{% import 'x' as y %}",
        "{{ name * 1000000000 }}",
        "{{ self }}",
        "{{ cycler }}",
        "{{ nobody }}",
        "{{ name",
        "Dear None,",
        "Dear null,",
        "\ufffd",
    ],
)
def test_a_template_may_do_no_more_than_fill_in(text: str) -> None:
    with pytest.raises(TemplateRefused):
        Templates({"renewal.en.text": text})


def test_a_template_may_say_finance() -> None:
    Templates({"renewal.en.text": "Your nanny finance plan, {{ name }}"})


def test_a_result_larger_than_64_kib_is_refused() -> None:
    parts = {"renewal.en.subject": "x", "renewal.en.html": "x", "renewal.en.text": "{{ special_terms }}" * 100}
    with pytest.raises(RenderingRefused, match="larger"):
        render(a_touch(special_terms="x" * 1_000), {}, Templates(parts))
