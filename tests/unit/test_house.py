"""House rules that no linter knows: what a file may hold, how long it may be, and what must not be committed."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("connectors", "deploy", "processors", "schemas", "streams", "tests")
LONGEST_MODULE_LINES = 400
NAMES_THAT_SAY_NOTHING = frozenset({"utils", "helpers", "common", "base", "manager", "service", "misc"})

# whole words only, so that a sentence about work or root is no finding
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|opt/wheels)/|(?<![\w.])/(?:home|Users)/[a-z]\w+/")
INDEX_ADDRESS = re.compile(
    r"https?://[^\s\"')]*(?:pypi|pythonhosted|/simple\b|artifactory|nexus|repo1?\.maven|maven\.org|proxy\.golang)"
    r"|--(?:extra-)?index-url|--find-links|\bPIP_(?:CERT|FIND_LINKS|INDEX_URL)\b"
)
SLEEP = re.compile(r"\b(?:time|asyncio)\.sleep\(")


def python_files(*rooms: str) -> Iterator[Path]:
    """Every Python file of these rooms, committed or not."""
    for room in rooms:
        yield from sorted(ROOT.joinpath(room).rglob("*.py"))


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Path and text of every text file that git keeps; from an unpacked archive, of every file in the rooms."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = [name for name in listing.stdout.decode().split("\0") if name]
    for path in [ROOT / name for name in names] or python_files(*ROOMS):
        if path.is_file() and b"\0" not in (raw := path.read_bytes()):
            yield str(path.relative_to(ROOT)), raw.decode("utf-8", errors="replace")


def findings(pattern: re.Pattern[str], *, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Where a pattern stands in the tracked files, as path:line."""
    return [
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in tracked_texts()
        if name not in allowed
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def in_tree(path: Path) -> str:
    """A path as people name it."""
    return str(path.relative_to(ROOT))


def is_only_a_docstring(path: Path) -> bool:
    """Whether a file is one string and nothing else."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return len(body) == 1 and ast.get_docstring(ast.Module(body=body, type_ignores=[])) is not None


def test_an_init_file_holds_a_docstring_and_nothing_else() -> None:
    inits = [path for path in python_files(*ROOMS) if path.name == "__init__.py"]
    assert inits
    assert [in_tree(path) for path in inits if not is_only_a_docstring(path)] == []


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in python_files(*ROOMS)}
    assert sorted(in_tree(folder) for folder in folders if not folder.joinpath("__init__.py").is_file()) == []


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    silent = [p for p in python_files(*ROOMS) if ast.get_docstring(ast.parse(p.read_text(encoding="utf-8"))) is None]
    assert [in_tree(path) for path in silent] == []


def test_no_module_is_longer_than_two_ideas() -> None:
    lengths = {in_tree(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*ROOMS)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE_LINES} == {}


def test_modules_are_named_after_what_they_hold() -> None:
    stems = {in_tree(path): path.stem for path in python_files(*ROOMS)}
    assert [name for name, stem in stems.items() if stem in NAMES_THAT_SAY_NOTHING] == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    assert findings(MACHINE_PATH, allowed=frozenset({"tests/unit/test_house.py"})) == []


def test_no_file_names_an_index_to_install_from() -> None:
    assert findings(INDEX_ADDRESS, allowed=frozenset({"tests/unit/test_house.py"})) == []


def test_a_test_waits_for_a_fact_and_never_for_a_while() -> None:
    tests = [path for path in python_files("tests") if path.name.startswith("test_")]
    sleepers = [path for path in tests if SLEEP.search(path.read_text(encoding="utf-8"))]
    assert [in_tree(path) for path in sleepers] == []


@pytest.mark.parametrize("lock", ["build", "runtime", "dev", "bench", "uv"])
def test_every_locked_requirement_is_exact_and_hashed(lock: str) -> None:
    text = ROOT.joinpath("requirements", f"{lock}.lock").read_text(encoding="utf-8")
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    assert [entry for entry in entries if not re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:", entry)] == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = ROOT.joinpath("requirements", "dev.lock").read_text(encoding="utf-8").lower()
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = {re.sub(r"\[.*?\]", "", requirement).lower() for requirement in asked}
    assert {pin for pin in pins if f"\n{pin} " not in f"\n{locked}"} == set()


def test_every_target_says_in_one_line_what_it_does() -> None:
    makefile = ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    targets = {"setup", "demo", "up", "down", "topics", "fmt", "lint", "types", "imports", "test-fast"}
    targets |= {"test", "check", "bench", "chaos", "replay", "docs", "clean"}
    assert targets <= set(re.findall(r"(?m)^([a-z-]+):.*? ## \S", makefile))
