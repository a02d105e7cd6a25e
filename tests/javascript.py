"""Emitted JavaScript run by Node: a script with JSON going in and coming out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import need

TIMEOUT = 120  # seconds


def node(*arguments: object, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Node's run of a file; it does not come back without an end."""
    command = [need("node"), *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=cwd, timeout=TIMEOUT, check=False)


def answers(script: str, questions: object, folder: Path) -> object:
    """What `answer(questions)`, which the script defines, gives."""
    place = folder / "script.cjs"
    reads = 'JSON.parse(require("node:fs").readFileSync(0, "utf8"))'
    place.write_text(f"{script}\nconsole.log(JSON.stringify(answer({reads})));\n", encoding="utf-8")
    done = node(place, given=json.dumps(questions))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
