"""An ONNX graph of a BERT encoder from its published weights, so that no torch is needed.

References
----------
Devlin, Chang, Lee, Toutanova (2019), BERT: pre-training of deep bidirectional transformers for
language understanding, NAACL-HLT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET = 20
IR_VERSION = 10
FAR_BELOW = -1e9
"""Added to the attention of padding, whose share is then zero in single precision."""

Weights = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class BertShape:
    """Sizes of a BERT encoder.

    Attributes
    ----------
    layers, heads
        Transformer layers, and attention heads in each.
    epsilon
        Added to the variance in layer normalisation.
    """

    layers: int
    heads: int
    epsilon: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BertShape:
        """Read the sizes from a model's ``config.json``.

        Raises
        ------
        ValueError
            It is no BERT encoder with absolute positions and the usual activation.
        """
        wanted = {"model_type": "bert", "hidden_act": "gelu"}
        for key, value in wanted.items():
            if config.get(key) != value:
                raise ValueError(f"{key} is '{config.get(key)}', only '{value}' can be built")
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise ValueError("its positions are relative, only absolute ones can be built")
        layers, heads = config["num_hidden_layers"], config["num_attention_heads"]
        return cls(layers, heads, config["layer_norm_eps"])


def read_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Read the weights of a safetensors file, in single precision."""
    from safetensors.numpy import load_file

    return {
        name.removeprefix("bert."): values.astype(np.float32)
        for name, values in load_file(path).items()
        if values.dtype.kind == "f"
    }


def bert_graph(weights: Weights, shape: BertShape) -> bytes:
    """Return the serialised graph: token ids and mask in, last hidden states out.

    Inputs ``input_ids`` and ``attention_mask`` of shape (texts, tokens), output
    ``last_hidden_state`` of shape (texts, tokens, width).
    """
    graph = _Graph(weights, shape)
    return graph.serialised(graph.encoder())


class _Graph:
    """Nodes and constants of a graph while it grows."""

    def __init__(self, weights: Weights, shape: BertShape) -> None:
        self._weights, self._shape = weights, shape
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._width = int(weights["embeddings.word_embeddings.weight"].shape[1])

    def encoder(self) -> str:
        """Add every layer and return the name of the result."""
        hidden = self._embedded()
        mask = self._attention_mask()
        for layer in range(self._shape.layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, mask)
        return hidden

    def serialised(self, result: str) -> bytes:
        """Return the model as bytes, ``result`` being its output."""
        from onnx import TensorProto, helper

        self._nodes.append(helper.make_node("Identity", [result], ["last_hidden_state"]))
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info(
            "last_hidden_state", TensorProto.FLOAT, ["texts", "tokens", self._width]
        )
        graph = helper.make_graph(self._nodes, "bert", inputs, [output], self._constants)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        return bytes(model.SerializeToString())

    def _add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        name = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def _constant(self, values: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _embedded(self) -> str:
        # Every token is of the first kind: one text at a time, never a pair.
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        places = self._weights["embeddings.position_embeddings.weight"] + kind
        words = self._constant(self._weights["embeddings.word_embeddings.weight"])
        tokens = self._add("Shape", ["input_ids"], start=1, end=2)
        start, axis = self._constant(np.array([0])), self._constant(np.array([0]))
        used = self._add("Slice", [self._constant(places), start, tokens, axis])
        summed = self._add("Add", [self._add("Gather", [words, "input_ids"]), used])
        return self._normalised("embeddings.LayerNorm", summed)

    def _attention_mask(self) -> str:
        first = self._constant(np.array(1.0, dtype=np.float32))
        far = self._constant(np.array(FAR_BELOW, dtype=np.float32))
        kept = self._add("Cast", ["attention_mask"], to=1)
        gone = self._add("Mul", [self._add("Sub", [first, kept]), far])
        return self._add("Unsqueeze", [gone, self._constant(np.array([1, 2]))])

    def _layer(self, name: str, hidden: str, mask: str) -> str:
        attended = self._dense(
            f"{name}.attention.output.dense", self._attention(name, hidden, mask)
        )
        hidden = self._normalised(
            f"{name}.attention.output.LayerNorm", self._add("Add", [attended, hidden])
        )
        wide = self._add("Gelu", [self._dense(f"{name}.intermediate.dense", hidden)])
        narrow = self._dense(f"{name}.output.dense", wide)
        return self._normalised(f"{name}.output.LayerNorm", self._add("Add", [narrow, hidden]))

    def _attention(self, name: str, hidden: str, mask: str) -> str:
        size = self._width // self._shape.heads
        query = self._heads(f"{name}.attention.self.query", hidden, (0, 2, 1, 3), size**-0.5)
        key = self._heads(f"{name}.attention.self.key", hidden, (0, 2, 3, 1))
        value = self._heads(f"{name}.attention.self.value", hidden, (0, 2, 1, 3))
        scores = self._add("Add", [self._add("MatMul", [query, key]), mask])
        seen = self._add("MatMul", [self._add("Softmax", [scores], axis=-1), value])
        joined = self._add("Transpose", [seen], perm=(0, 2, 1, 3))
        return self._add("Reshape", [joined, self._constant(np.array([0, 0, self._width]))])

    def _heads(self, name: str, hidden: str, order: tuple[int, ...], scale: float = 1.0) -> str:
        heads = np.array([0, 0, self._shape.heads, self._width // self._shape.heads])
        parted = self._add("Reshape", [self._dense(name, hidden, scale), self._constant(heads)])
        return self._add("Transpose", [parted], perm=order)

    def _dense(self, name: str, hidden: str, scale: float = 1.0) -> str:
        factor = np.float32(scale)
        weight = self._constant(self._weights[f"{name}.weight"].T * factor)
        bias = self._constant(self._weights[f"{name}.bias"] * factor)
        return self._add("Add", [self._add("MatMul", [hidden, weight]), bias])

    def _normalised(self, name: str, hidden: str) -> str:
        scale = self._constant(self._weights[f"{name}.weight"])
        bias = self._constant(self._weights[f"{name}.bias"])
        taken = [hidden, scale, bias]
        return self._add("LayerNormalization", taken, axis=-1, epsilon=self._shape.epsilon)
