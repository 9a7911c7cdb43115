"""The tutorial's commands print what stands under them.

To write down what they print now::

    python tests/test_tutorial.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from models_py.base import settings

TUTORIAL = settings.repository() / "notebooks" / "TUTORIAL.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
CHANGING = (
    (r"\d{8}T\d{12,}-[0-9a-f]{4}", "RUN"),
    (r"\d+(\.\d+)? s\b", "SECONDS s"),
    (r"\d{4}-\d\d-\d\d[T \d:.]*", "TIME"),
    (r"  +|--+", " "),
)
"""What differs from run to run, and what stands for it when two outputs are compared."""


def played(text: str, folder: Path) -> str:
    """Return the tutorial with what its commands print in that folder under each."""
    (folder / "scripts").symlink_to(settings.repository() / "scripts")
    return BLOCK.sub(lambda block: f"```console\n{_played_block(block[1], folder)}```", text)


def _played_block(block: str, folder: Path) -> str:
    lines = []
    for command in re.findall(r"^\$ (.*(?:\n> ?.*)*)", block, re.MULTILINE):
        shown = command.split("\n")
        script = "\n".join([shown[0], *(line[2:] for line in shown[1:])])
        lines += [f"$ {command}", *_printed(script, folder).splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _printed(script: str, folder: Path) -> str:
    paths = [str(settings.repository()), os.environ.get("PYTHONPATH", "")]
    environment = settings.environment_of(folder) | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "COLUMNS": "100",
    }
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{script}\n{ended.stderr[-2000:]}"
    return ended.stdout.replace(f"{folder}/", "")


def compared(text: str) -> str:
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


@pytest.mark.heavy
def test_every_command_prints_what_stands_under_it(tmp_path: Path) -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    assert compared(played(text, tmp_path)) == compared(text)


def test_the_tutorial_names_no_machine_and_is_short() -> None:
    text = TUTORIAL.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    assert not re.search(r"/(tmp|home|root|Users)/", text)
    assert all(block.strip().startswith("$ ") for block in BLOCK.findall(text))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        written = played(TUTORIAL.read_text(encoding="utf-8"), Path(place))
    TUTORIAL.write_text(written, encoding="utf-8")
