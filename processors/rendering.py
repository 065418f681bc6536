"""From a command and a contact to subject, text and HTML: sandboxed, logic-less, one pass; refuses what is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from processors import wording
from processors.wording import RenderingRefused
from schemas.outputs import SendTouch

LARGEST_OUTPUT_BYTES = 65_536
DEFAULT_LANGUAGE = "en"
PARTS = ("subject", "text", "html")
NAMES = frozenset(
    {
        "amount",
        "company",
        "contract",
        "discount",
        "edition",
        "end_date",
        "end_date_iso",
        "modules",
        "name",
        "product",
        "renewal_link",
        "seats",
        "special_terms",
        "step",
        "unsubscribe_link",
    }
)
FILTERS = frozenset({"upper", "lower", "title", "trim"})
FORBIDDEN = re.compile(r"\b(?:null|None|undefined|NaN|nan)\b|\ufffd")
_NODES = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Filter, nodes.Compare)
_LOGIC = (nodes.Operand, nodes.Const, nodes.And, nodes.Or, nodes.Not)
_GREETING = {"en": "customer", "zh": "客户"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message in the customer's language; the subject is one line, `html` is escaped."""

    subject: str
    text: str
    html: str


class TemplateRefused(ValueError):
    """A template uses more than values, `if`, comparisons and the listed filters, or says what no customer may read."""


class Templates:
    """Template texts by `name.language.part`, checked once; anything beyond filling in values is refused."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._parts = {key: _compiled(key, text) for key, text in texts.items()}

    def find(self, name: str, language: str) -> tuple[str, Mapping[str, Template]]:
        """The parts of a template in this language, else in English; tells which language it is."""
        for found in dict.fromkeys((language, DEFAULT_LANGUAGE)):
            parts = {part: self._parts.get(f"{name}.{found}.{part}") for part in PARTS}
            if all(parts.values()):
                return found, {part: template for part, template in parts.items() if template is not None}
        raise RenderingRefused("template: there is none of this name")


def render(
    command: SendTouch, contact: Mapping[str, str], templates: Templates, *, unsubscribe_link: str = ""
) -> Rendered:
    """Fill a template with the facts bound at release and the contact's name (R60, R61).

    Data is never read as a template. Raises RenderingRefused for what is missing or cannot be said right.
    """
    language, parts = templates.find(command.template, _language(command.locale))
    values = _values(command, contact, language, unsubscribe_link)
    filled = {part: _filled(parts[part], values) for part in PARTS}
    return Rendered(subject=" ".join(filled["subject"].split()), text=filled["text"], html=filled["html"])


def _language(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].strip().lower()


def _values(command: SendTouch, contact: Mapping[str, str], language: str, unsubscribe_link: str) -> dict[str, str]:
    company = wording.plain(contact.get("company", ""), "company")
    name = wording.plain(contact.get("name", ""), "name")
    return {
        "name": name or company or _GREETING.get(language, _GREETING[DEFAULT_LANGUAGE]),
        "company": company,
        "contract": wording.required(command.contract_id, "contract id"),
        "product": wording.required(command.product_name, "product name"),
        "edition": wording.plain(command.product_edition, "product edition"),
        "end_date": wording.day(command.expires_on, language),
        "end_date_iso": command.expires_on.isoformat(),
        "amount": wording.money(command.amount_minor, command.currency),
        "modules": wording.count(command.modules, "modules"),
        "seats": wording.count(command.seats, "seats") if command.seats else "",
        "discount": wording.share(command.discount_basis_points),
        "special_terms": wording.plain(command.special_terms, "special terms"),
        "renewal_link": wording.link(command.renewal_link, "renewal link"),
        "unsubscribe_link": wording.link(unsubscribe_link, "unsubscribe link"),
        "step": command.step,
    }


def _filled(template: Template, values: Mapping[str, str]) -> str:
    try:
        text = template.render(values)
    except TemplateError as error:
        raise RenderingRefused(f"template {template.name}: {type(error).__name__}") from None
    if len(text.encode()) > LARGEST_OUTPUT_BYTES:
        raise RenderingRefused(f"template {template.name}: the result is larger than {LARGEST_OUTPUT_BYTES} bytes")
    return text


def _environment(key: str) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=key.endswith(".html"),
        trim_blocks=False,
        keep_trailing_newline=True,
        cache_size=0,
    )
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def _compiled(key: str, text: str) -> Template:
    if not key.endswith(PARTS):
        raise TemplateRefused(f"template {key}: its part is none of {', '.join(PARTS)}")
    environment = _environment(key)
    try:
        tree = environment.parse(text, name=key)
    except TemplateError as error:
        raise TemplateRefused(f"template {key}: {error}") from error
    for node in tree.find_all(nodes.Node):
        _check(key, node)
    template = environment.from_string(text)
    template.name = key
    return template


def _check(key: str, node: nodes.Node) -> None:
    if not isinstance(node, _NODES + _LOGIC):
        raise TemplateRefused(f"template {key}, line {node.lineno}: {type(node).__name__} is not allowed")
    if isinstance(node, nodes.Name) and node.name not in NAMES:
        raise TemplateRefused(f"template {key}, line {node.lineno}: there is no value {node.name!r}")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise TemplateRefused(f"template {key}, line {node.lineno}: there is no filter {node.name!r}")
    if isinstance(node, nodes.TemplateData) and FORBIDDEN.search(node.data):
        raise TemplateRefused(f"template {key}, line {node.lineno}: its own text says what a failed filling would")
