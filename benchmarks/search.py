"""Trees and silhouettes of hierarchical clustering against the loop that users write.

For every size, each in a fresh process so that peak memory is its own:

- ``search``: ward, average and complete linkage x k = 2..10 with all 27 silhouettes, ours;
- ``loop``: scikit-learn's AgglomerativeClustering and silhouette_score, fitted anew for each
  candidate; by default a few candidates per linkage are measured and the time of 27 follows from
  their mean (a fit takes as long for every k), with ``--full-rival`` all 27 are;
- ``tree`` and ``fastcluster``: one tree each.

Example
-------
    python benchmarks/search.py --sizes 2000 5000 --features 12
    python benchmarks/search.py --sizes 20000 --full-rival --json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from extras import need

METHODS = ("ward", "average", "complete")
KS = tuple(range(2, 11))
OUTPUT = Path(__file__).parent / "output"


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[2000, 5000, 10_000, 20_000, 50_000]
    )
    parser.add_argument("--features", type=int, default=12)
    parser.add_argument("--groups", type=int, default=8, help="groups that the rows are drawn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rival-ks", type=int, nargs="+", default=[2, 10], metavar="K")
    parser.add_argument("--full-rival", action="store_true", help="measure all 27 candidates")
    parser.add_argument("--rival-limit", type=int, default=20_000, help="no rival above these rows")
    parser.add_argument("--plot", type=Path, default=OUTPUT / "search.png")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    return parser.parse_args()


def customers(n: int, features: int, groups: int, seed: int) -> np.ndarray:
    """Overlapping groups of unequal size and spread, columns scaled to unit variance."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=2.0, size=(groups, features))
    group = rng.choice(groups, size=n, p=rng.dirichlet(np.full(groups, 4.0)))
    spread = rng.uniform(0.6, 1.4, size=(groups, features))
    rows = centers[group] + spread[group] * rng.normal(size=(n, features))
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_search(points: np.ndarray) -> dict[str, object]:
    from models_py.clustering.linkage import cut_tree, linkage_trees
    from models_py.segmentation.measures.silhouette import silhouette_scores

    start = time.perf_counter()
    trees = linkage_trees(points, METHODS)
    after_trees = time.perf_counter()
    labels = np.vstack([cut_tree(trees[method], KS) for method in METHODS])
    silhouettes = silhouette_scores(points, labels)
    end = time.perf_counter()
    OUTPUT.mkdir(exist_ok=True)
    np.save(OUTPUT / f"labels_{len(points)}.npy", labels)
    return {
        "seconds": end - start,
        "tree_seconds": after_trees - start,
        "silhouette_seconds": end - after_trees,
        "silhouettes": silhouettes.tolist(),
    }


def run_tree(points: np.ndarray, method: str) -> dict[str, object]:
    from models_py.clustering.linkage import linkage_tree

    start = time.perf_counter()
    tree = linkage_tree(points, method)
    return {"seconds": time.perf_counter() - start, "top_height": tree[-1, 2]}


def run_fastcluster(points: np.ndarray, method: str) -> dict[str, object]:
    import fastcluster

    start = time.perf_counter()
    if method in {"ward", "single"}:
        tree = fastcluster.linkage_vector(points, method)
    else:
        tree = fastcluster.linkage(points, method, preserve_input=False)
    return {"seconds": time.perf_counter() - start, "top_height": tree[-1, 2]}


def run_loop(points: np.ndarray, ks: list[int]) -> dict[str, object]:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    ours = np.load(OUTPUT / f"labels_{len(points)}.npy")
    candidates = []
    for row, method in enumerate(METHODS):
        for k in ks:
            start = time.perf_counter()
            labels = AgglomerativeClustering(n_clusters=k, linkage=method).fit_predict(points)
            fitted = time.perf_counter()
            score = silhouette_score(points, labels)
            end = time.perf_counter()
            same = adjusted_rand_score(labels, ours[row * len(KS) + KS.index(k)])
            candidates.append(
                {
                    "method": method,
                    "k": k,
                    "fit_seconds": fitted - start,
                    "silhouette_seconds": end - fitted,
                    "silhouette": float(score),
                    "adjusted_rand_index": float(same),
                }
            )
    return {"candidates": candidates}


def run_task(arguments: argparse.Namespace) -> dict[str, object]:
    """One measurement in this process; compiled code is loaded before the clock starts."""
    task, _, method = arguments.task.partition(":")
    size = arguments.sizes[0]
    shape = (arguments.features, arguments.groups, arguments.seed)
    small, points = customers(300, *shape), customers(size, *shape)
    tasks = {"search": run_search, "tree": run_tree, "fastcluster": run_fastcluster}
    if task == "loop":
        busy = time.process_time()
        result = run_loop(points, arguments.rival_ks)
        busy = time.process_time() - busy
        return {**result, "cpu_seconds": busy, "peak_bytes": peak_bytes()}
    extra = (method,) if method else ()
    start = time.perf_counter()
    tasks[task](small, *extra)
    first_call, before = time.perf_counter() - start, peak_bytes()
    busy = time.process_time()
    measured = tasks[task](points, *extra)
    return {
        **measured,
        "cpu_seconds": time.process_time() - busy,
        "first_call_seconds": first_call,
        "start_bytes": before,
        "peak_bytes": peak_bytes(),
    }


def measured(task: str, size: int, arguments: argparse.Namespace) -> dict[str, object]:
    ks = KS if arguments.full_rival else arguments.rival_ks
    command = [sys.executable, __file__, "--task", task, "--sizes", str(size)]
    command += ["--features", str(arguments.features), "--groups", str(arguments.groups)]
    command += ["--seed", str(arguments.seed), "--rival-ks", *map(str, ks)]
    root = str(Path(__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise SystemExit(f"{task} at {size} rows failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compared(search: dict, loop: dict) -> dict[str, object]:
    """Time of the loop over 27 candidates, and how far its answers are from ours."""
    candidates = loop["candidates"]
    seconds = [result["fit_seconds"] + result["silhouette_seconds"] for result in candidates]
    whole = len(METHODS) * len(KS)
    ours = np.reshape(search["silhouettes"], (len(METHODS), len(KS)))
    differences = [
        abs(result["silhouette"] - ours[METHODS.index(result["method"]), KS.index(result["k"])])
        for result in candidates
    ]
    loop_seconds = float(np.mean(seconds)) * whole
    return {
        "measured_candidates": len(candidates),
        "measured_seconds": float(np.sum(seconds)),
        "loop_seconds": loop_seconds,
        "times_faster": loop_seconds / search["seconds"],
        "times_less_cpu": loop["cpu_seconds"] / len(candidates) * whole / search["cpu_seconds"],
        "least_adjusted_rand_index": min(result["adjusted_rand_index"] for result in candidates),
        "largest_silhouette_difference": float(max(differences)),
    }


def measure_size(size: int, arguments: argparse.Namespace) -> dict[str, object]:
    row: dict[str, object] = {"n": size, "search": measured("search", size, arguments)}
    for method in (*METHODS, "single"):
        row[f"tree:{method}"] = measured(f"tree:{method}", size, arguments)
    if size <= arguments.rival_limit:
        for method in (*METHODS, "single"):
            row[f"fastcluster:{method}"] = measured(f"fastcluster:{method}", size, arguments)
        row["loop"] = measured("loop", size, arguments)
        row["comparison"] = compared(row["search"], row["loop"])
    return row


def growth(rows: list[dict], task: str, figure: str) -> float | None:
    """Exponent of the power of n that fits the figure; memory above what the start took."""
    results = [(row["n"], row[task]) for row in rows if task in row]
    sizes = [n for n, _ in results]
    values = [
        candidate["peak_bytes"] - candidate["start_bytes"]
        if figure == "peak_bytes"
        else candidate[figure]
        for _, candidate in results
    ]
    if len(results) < 2 or min(values) <= 0:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


TASKS = (
    "search",
    *(f"{who}:{method}" for method in (*METHODS, "single") for who in ("tree", "fastcluster")),
)


def print_tables(rows: list[dict], exponents: dict[str, dict[str, float | None]]) -> None:
    for figure, unit, scale in (
        ("seconds", "s", 1.0),
        ("cpu_seconds", "s", 1.0),
        ("peak_bytes", "MB", 1e6),
    ):
        print(
            f"\n{figure} ({unit})".ljust(23)
            + "".join(f"{row['n']:>11,}" for row in rows)
            + "  growth"
        )
        for task in TASKS:
            cells = [
                f"{row[task][figure] / scale:>11.2f}" if task in row else " " * 11 for row in rows
            ]
            exponent = exponents[task][figure]
            print(task.ljust(22) + "".join(cells) + (f"   n^{exponent:.2f}" if exponent else ""))
    for row in (row for row in rows if "comparison" in row):
        result = row["comparison"]
        print(
            f"\n{row['n']:,} rows: loop of 27 candidates {result['loop_seconds']:.1f} s "
            f"({result['measured_candidates']} measured in {result['measured_seconds']:.1f} s), "
            f"ours {row['search']['seconds']:.2f} s: {result['times_faster']:.0f} times faster "
            f"({result['times_less_cpu']:.0f} times less processor time); least "
            f"adjusted Rand index {result['least_adjusted_rand_index']:.6f}, largest silhouette "
            f"difference {result['largest_silhouette_difference']:.1e}"
        )


def draw(rows: list[dict], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), constrained_layout=True)
    for axis, name, scale in zip(axes, ("seconds", "peak_bytes"), (1.0, 1e6), strict=True):
        for task in TASKS:
            results = [(row["n"], row[task][name] / scale) for row in rows if task in row]
            style = "--" if task.startswith("fastcluster") else "-"
            axis.loglog(
                *zip(*results, strict=True), style, marker="o", label=task
            ) if results else None
        if name == "seconds":
            loop = [(r["n"], r["comparison"]["loop_seconds"]) for r in rows if "comparison" in r]
            if loop:
                axis.loglog(*zip(*loop, strict=True), "k:", marker="s", label="scikit-learn loop")
        axis.set_xlabel("rows")
        axis.set_ylabel("seconds" if name == "seconds" else "peak memory, MB")
        axis.grid(visible=True, which="major", alpha=0.3)
    axes[0].legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    arguments = parsed_arguments()
    if arguments.task:
        print(json.dumps(run_task(arguments)))
        return
    need("fastcluster", "matplotlib")
    rows = []
    for size in arguments.sizes:
        print(f"measuring {size:,} rows", file=sys.stderr)
        rows.append(measure_size(size, arguments))
    figures = ("seconds", "cpu_seconds", "peak_bytes")
    exponents = {task: {name: growth(rows, task, name) for name in figures} for task in TASKS}
    draw(rows, arguments.plot)
    if arguments.json:
        print(json.dumps({"rows": rows, "growth": exponents, "plot": str(arguments.plot)}))
    else:
        print_tables(rows, exponents)
        print(f"\nplot: {arguments.plot}")


if __name__ == "__main__":
    main()
