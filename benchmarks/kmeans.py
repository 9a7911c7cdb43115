"""k-means over many k with all measures, against scikit-learn's KMeans and its measures.

Ours is one sweep, then inertia, Davies-Bouldin, Calinski-Harabasz and the silhouette (past
60,000 rows the simplified one) of every k. The rival is the loop that users write: KMeans for
each k, then Davies-Bouldin and Calinski-Harabasz, which are the measures it has that a
million rows allow; its inertia comes with the fit. It runs with as many starts as ours
(``restarts``) and with one, its default (``single``). Each side runs in a process of its own,
so that peak memory is its own.

Example
-------
    python benchmarks/kmeans.py --rows 50000 --features 20
    python benchmarks/kmeans.py --rows 1000000 --rivals single --json
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

WARM_UP_ROWS = 500


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--groups", type=int, default=12, help="groups that rows are drawn from")
    parser.add_argument(
        "--spread", type=float, default=1.0, help="distance of the groups; below 0.5 they merge"
    )
    parser.add_argument("--ks", type=int, nargs="+", default=list(range(2, 11)))
    parser.add_argument("--n-init", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--rivals",
        nargs="+",
        choices=["restarts", "single"],
        default=["restarts", "single"],
        help="scikit-learn with --n-init starts, and with one, which is its default",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    return parser.parse_args()


def customers(rows: int, features: int, groups: int, spread: float, seed: int) -> np.ndarray:
    """Draw normal groups around random centers."""
    generator = np.random.default_rng(seed)
    centers = generator.normal(scale=spread, size=(groups, features))
    points = generator.standard_normal((rows, features))
    points += centers[generator.integers(0, groups, rows)]
    return points


def run_ours(points: np.ndarray, ks: list[int], n_init: int, seed: int) -> dict[str, object]:
    from models_py.clustering.kmeans import kmeans_sweep
    from models_py.segmentation.measures.computing import index_figures

    began = time.perf_counter()
    result = kmeans_sweep(points, ks, seed=seed, n_init=n_init)
    fitted = time.perf_counter()
    measures = index_figures(points, [candidate.labels for candidate in result])
    ended = time.perf_counter()
    return {
        "fit_seconds": fitted - began,
        "measure_seconds": ended - fitted,
        "seconds": ended - began,
        "measures": {name: values.tolist() for name, values in measures.items()},
    }


def run_rival(points: np.ndarray, ks: list[int], n_init: int, seed: int) -> dict[str, object]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    fit_seconds = 0.0
    began = time.perf_counter()
    measures: dict[str, list[float]] = {
        "inertia": [],
        "davies_bouldin": [],
        "calinski_harabasz": [],
    }
    for k in ks:
        start = time.perf_counter()
        fitted = KMeans(k, n_init=n_init, random_state=seed).fit(points)
        fit_seconds += time.perf_counter() - start
        measures["inertia"].append(float(fitted.inertia_))
        measures["davies_bouldin"].append(float(davies_bouldin_score(points, fitted.labels_)))
        measures["calinski_harabasz"].append(float(calinski_harabasz_score(points, fitted.labels_)))
    seconds = time.perf_counter() - began
    return {
        "fit_seconds": fit_seconds,
        "measure_seconds": seconds - fit_seconds,
        "seconds": seconds,
        "measures": measures,
    }


def run_task(arguments: argparse.Namespace) -> dict[str, object]:
    """One side in this process; compiled code is loaded before the clock starts."""
    shape = (arguments.features, arguments.groups, arguments.spread, arguments.seed)
    side, n_init = {
        "ours": (run_ours, arguments.n_init),
        "restarts": (run_rival, arguments.n_init),
        "single": (run_rival, 1),
    }[arguments.task]
    start = time.perf_counter()
    side(customers(WARM_UP_ROWS, *shape), [2, 3], n_init, arguments.seed)
    first_call = time.perf_counter() - start
    points = customers(arguments.rows, *shape)
    processor = time.process_time()
    measured = side(points, arguments.ks, n_init, arguments.seed)
    measured["processor_seconds"] = time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**measured, "first_call_seconds": first_call, "peak_bytes": peak}


def in_own_process(task: str) -> dict[str, object]:
    answer = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--task", task],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout)


def compared(ours: dict, rival: dict) -> dict[str, object]:
    """How many times faster, and the relative difference of inertia for each k."""
    own, other = np.array(ours["measures"]["inertia"]), np.array(rival["measures"]["inertia"])
    return {
        "times_faster": rival["seconds"] / ours["seconds"],
        "times_less_processor": rival["processor_seconds"] / ours["processor_seconds"],
        "times_faster_fit": rival["fit_seconds"] / ours["fit_seconds"],
        "inertia_over_rival": (own / other - 1.0).tolist(),
    }


def printed(report: dict) -> None:
    shape = f"{report['rows']:,} x {report['features']}, k = {report['ks']}"
    print(f"{shape}, groups {report['spread']} apart")
    for side in report["sides"]:
        each = report["sides"][side]
        print(
            f"{side:9} fits {each['fit_seconds']:8.1f} s"
            f"   measures {each['measure_seconds']:6.1f} s"
            f"   total {each['seconds']:8.1f} s"
            f"   processor {each['processor_seconds']:8.1f} s"
            f"   peak {each['peak_bytes'] / 1e9:5.2f} GB"
        )
    for side, result in report["compared"].items():
        gaps = "  ".join(f"{gap:+.5%}" for gap in result["inertia_over_rival"])
        print(
            f"against {side}: {result['times_faster']:.1f} times faster, "
            f"{result['times_less_processor']:.1f} times less processor time; "
            f"inertia over the rival's {gaps}"
        )


def main() -> None:
    arguments = parsed_arguments()
    if arguments.task:
        print(json.dumps(run_task(arguments)))
        return
    sides = {side: in_own_process(side) for side in ["ours", *arguments.rivals]}
    report = {
        "rows": arguments.rows,
        "features": arguments.features,
        "ks": arguments.ks,
        "n_init": arguments.n_init,
        "spread": arguments.spread,
        "seed": arguments.seed,
        "sides": sides,
        "compared": {side: compared(sides["ours"], sides[side]) for side in arguments.rivals},
    }
    if arguments.json:
        print(json.dumps(report))
    else:
        printed(report)


if __name__ == "__main__":
    main()
