"""k-prototypes against kmodes on the same rows from the same starts.

For Huang's and Cao's start alike, prototypes are drawn once and given to both sides; each
makes one run from them. Rows are the first eight columns of the bank marketing data
(``--data bank-full.csv``: age, job, marital, education, default, balance, housing, loan) or,
without it, generated in the same shape.

Example
-------
    python benchmarks/kprototypes.py --rows 5000
    python benchmarks/kprototypes.py --data ../shared/data/bank/bank-full.csv --starts 2 --json
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from extras import need

BANK_COLUMNS = 8
INITS = ("huang", "cao")


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=45_000)
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--starts", type=int, default=1, help="starts of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="bank-full.csv; rows are generated without it")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def bank_rows(path: Path, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """First columns of the bank data: numbers scaled to unit variance, levels as codes."""
    table = pd.read_csv(path, sep=";", nrows=rows).iloc[:, :BANK_COLUMNS]
    numbers = table.select_dtypes("number").to_numpy(dtype=np.float64)
    levels = table.select_dtypes(exclude="number")
    codes = np.column_stack([pd.factorize(levels[name], sort=True)[0] for name in levels])
    return (numbers - numbers.mean(axis=0)) / numbers.std(axis=0), codes.astype(np.int64)


def drawn_rows(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two numeric and six categorical columns around six overlapping groups."""
    generator = np.random.default_rng(seed)
    group = generator.integers(0, 6, rows)
    numbers = generator.standard_normal((rows, 2)) + generator.normal(size=(6, 2))[group]
    levels = np.array([12, 3, 4, 2, 2, 2])
    favourite = (generator.random((6, 6)) * levels).astype(np.int64)[group]
    anything = (generator.random((rows, 6)) * levels).astype(np.int64)
    return numbers, np.where(generator.random((rows, 6)) < 0.5, favourite, anything)


def start_of(
    init: str, numeric: np.ndarray, codes: np.ndarray, k: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Prototypes of one start, as `KPrototypes` draws them."""
    from models_py.clustering.kprototypes import KPrototypes

    return KPrototypes(k, init=init, n_init=1, seed=seed).starts(numeric, codes)[0]


def compare(
    init: str, numeric: np.ndarray, codes: np.ndarray, k: int, seed: int
) -> dict[str, object]:
    """One run of each side from the same start."""
    from kmodes.kprototypes import KPrototypes as Rival

    from models_py.clustering.kprototypes import KPrototypes

    centers, modes = start_of(init, numeric, codes, k, seed)
    began = time.perf_counter()
    ours = KPrototypes(k, init=(centers, modes)).fit(numeric, codes)
    own_seconds = time.perf_counter() - began
    together = np.column_stack([numeric, codes.astype(np.float64)])
    categorical = list(range(numeric.shape[1], together.shape[1]))
    began = time.perf_counter()
    rival = Rival(k, init=[centers.copy(), modes.copy()], n_init=1, random_state=seed)
    rival.fit(together, categorical=categorical)
    rival_seconds = time.perf_counter() - began
    return {
        "init": init,
        "seed": seed,
        "seconds": own_seconds,
        "rival_seconds": rival_seconds,
        "times_faster": rival_seconds / own_seconds,
        "cost": ours.cost_,
        "rival_cost": float(rival.cost_),
        "cost_over_rival": ours.cost_ / float(rival.cost_) - 1.0,
        "passes": ours.n_iter_,
        "rival_passes": int(rival.n_iter_),
    }


def printed(report: dict) -> None:
    print(f"{report['rows']:,} rows x {report['columns']} columns of {report['data']}")
    print(
        f"first call with compiling or loading compiled code {report['first_call_seconds']:.1f} s"
    )
    for run in report["runs"]:
        print(
            f"{run['init']:6} {run['seconds']:7.3f} s   kmodes {run['rival_seconds']:7.1f} s   "
            f"{run['times_faster']:6.0f} times faster   cost over kmodes' "
            f"{run['cost_over_rival']:+.2e}"
        )


def main() -> None:
    from models_py.clustering.kprototypes import KPrototypes

    arguments = parsed_arguments()
    need("kmodes")
    rows = (
        bank_rows(arguments.data, arguments.rows)
        if arguments.data
        else drawn_rows(arguments.rows, arguments.seed)
    )
    began = time.perf_counter()
    KPrototypes(2, n_init=1).fit(rows[0][:200], rows[1][:200])
    first_call = time.perf_counter() - began
    report = {
        "data": arguments.data.name if arguments.data else "generated",
        "rows": len(rows[0]),
        "columns": rows[0].shape[1] + rows[1].shape[1],
        "k": arguments.k,
        "first_call_seconds": first_call,
        "runs": [
            compare(init, *rows, arguments.k, arguments.seed + start)
            for start in range(arguments.starts)
            for init in INITS
        ],
    }
    if arguments.json:
        print(json.dumps(report))
    else:
        printed(report)


if __name__ == "__main__":
    main()
