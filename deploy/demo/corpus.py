"""Words for test data: names and products that have broken other systems, and zones whose clocks jump (R14, R25)."""

from dataclasses import dataclass

PEOPLE = (
    "Anna Müller",
    "王小明",
    'Conor "Mac" O\'Neill',
    "A & B Söhne",
    "Null",
    "李娜 🐉",
    "שרה כהן",
    "فاطمة الزهراء",
    "𠮷田 太郎",
    "José <José> Núñez",
    "Zoë Ångström",
    "Nguyễn Thị Hương",
    "{{ customer.name }}",
    "Müller, Dr. Jörg; GmbH",
    "O'Brien--",
    "Ivan 🚀🚀 Petrov",
    "N/A",
    "%s %d %n",
    "Søren\u00a0Kierkegaard",
    "Åsa\u200dLind",
)
ORDINARY_PEOPLE = frozenset({"Anna Müller", "王小明", "Zoë Ångström", "Nguyễn Thị Hương"})
HOSTILE_PEOPLE = frozenset({"Null", "N/A", "José <José> Núñez", "{{ customer.name }}", "O'Brien--", "%s %d %n"})
COMPANIES = (
    "A&B Trading",
    "北京云帆科技有限公司",
    'Smith "Quoted" & Sons',
    "Größenwahn GmbH & Co. KG",
    "מגדל תוכנה",
    "شركة النور",
    "Café #1 <Paris>",
    "𠮷野家システム",
    "Emoji 🎉 Labs",
    "Semicolon; Drop Table--",
)
PRODUCTS = (
    "Analytics Suite",
    "R&D Workbench <Pro>",
    "数据中台 旗舰版",
    'Ledger "Plus"',
    "Größe #1",
    "Cloud 🌩 Backup",
)
EDITIONS = ("Standard", "Professional", "旗舰版", "Enterprise & Co")
SPECIAL_TERMS = ("", "", "", "Two bonus training days", "赠送三个月高级支持", "50% off <add-ons>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where customers live, and what they pay in; `weight` says how many."""

    zone: str
    country: str
    locale: str
    currency: str
    weight: int


PLACES = (
    Place(zone="Asia/Shanghai", country="CN", locale="zh-CN", currency="CNY", weight=40),
    Place(zone="Europe/Berlin", country="DE", locale="de-DE", currency="EUR", weight=18),
    Place(zone="America/New_York", country="US", locale="en-US", currency="USD", weight=16),
    Place(zone="America/Sao_Paulo", country="BR", locale="pt-BR", currency="BRL", weight=8),
    Place(zone="Asia/Kolkata", country="IN", locale="en-IN", currency="INR", weight=10),
    Place(
        zone="Australia/Lord_Howe", country="AU", locale="en-AU", currency="JPY", weight=8
    ),  # half an hour, no decimals
)
