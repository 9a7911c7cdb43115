"""The quick form of every benchmark: one JSON line each, so that none stops working unseen.

A line has the benchmark, its command, the seconds it took and what it printed; or, in the place of
that, the line that it stopped with, as where an extra is missing. The sizes are small: the figures
of BENCHMARKS.md come from the commands that stand beside them there.

Example::

    python benchmarks/quick.py            # make bench
    python benchmarks/quick.py kmeans search
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from models_py.base import settings

FOLDER = Path(__file__).parent
QUICK = {
    "algorithms": "--scale 0.02",
    "autoencoder": "--rows 600 --epochs 5 --seeds 1",
    "backup": "--databases 5",
    "cleanup": "--tables 50 --gigabytes 0.02 --repeats 1",
    "domains": "--domains retail_org",
    "embedding": "--texts 50 --runs 1",
    "explanation": "--rows 2000",
    "explore": "--rows 5000",
    "faults": "--kills 4 --rows 2000",
    "fit_auto": "--draws 1 --held-out 1",
    "frames": "--rows 1000 --columns 6 --repeats 1",
    "kmeans": "--rows 5000 --ks 2 3 --n-init 2",
    "kprototypes": "--rows 1000",
    "large_study": "--rows 20000",
    "planted": "--shapes 0 --foreign 0 --customers 1 --rows 500",
    "reading": "--files 20 --rows 20000",
    "report": "--rows 2000",
    "scale": "--lines 50000",
    "scoring": "--rows 20000 --sample 2000",
    "search": "--sizes 1000",
    "spark": "--domains retail_org",
    "sureness": "--draws 1",
    "warehouse": "--repeats 1",
}
"""The words of each quick form; ``--json`` follows."""

INSTALLS = "is not installed: run"
"""What the line of a missing extra says, which is no failure."""


def answer_of(output: str) -> object:
    """Return the JSON that a benchmark printed: one document, or a list of its lines."""
    try:
        return json.loads(output)
    except json.JSONDecodeError:
        return [json.loads(line) for line in output.splitlines() if line.startswith(("{", "["))]


def measured(name: str) -> dict[str, object]:
    """Run the quick form of a benchmark and return its line."""
    words = [f"benchmarks/{name}.py", *QUICK[name].split(), "--json"]
    line: dict[str, object] = {"benchmark": name, "command": " ".join(["python", *words])}
    paths = [str(settings.repository()), os.environ.get("PYTHONPATH", "")]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *words[1:]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    line["seconds"] = round(time.perf_counter() - began, 2)
    if done.returncode:
        said = (
            done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}"
        ).splitlines()
        return line | {"stopped": said[-1]}
    return line | {"figures": answer_of(done.stdout)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help="default: all of them")
    names = parser.parse_args().names or list(QUICK)
    if unknown := sorted(set(names) - QUICK.keys()):
        parser.error(f"no benchmark {', '.join(unknown)}: there are {', '.join(QUICK)}")
    failed = 0
    for name in names:
        line = measured(name)
        failed += INSTALLS not in str(line.get("stopped", INSTALLS))
        print(json.dumps(line), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
