"""Whether a Docker engine can be used here; apart from `containers`, whose import is slow."""

import subprocess

_ANSWERS_WITHIN_S = 5.0


def engine_answers() -> bool:
    """Ask the engine; false where there is no client, no engine, or no answer within 5 s."""
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=_ANSWERS_WITHIN_S)
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
