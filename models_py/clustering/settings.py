"""What a study says of an algorithm to try; light to import."""

from __future__ import annotations

from pydantic import (
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from models_py.base.sections import Range, Section, check_known
from models_py.clustering.algorithms import ALGORITHMS, refused

KRANGE = (2, 10)


class AlgorithmSettings(Section):
    """One algorithm with the numbers of clusters and parameters to try.

    ``k`` is a range ``[from, to]``, or a single number; algorithms that find their own
    number take none. A list as the value of a parameter tries each of its items.
    """

    name: str
    k: int | Range = KRANGE
    parameters: dict[str, object] = {}

    @model_validator(mode="before")
    @classmethod
    def _former_names_are_read(cls, data: object) -> object:
        # Studies and runs of older versions say what parameters were called then.
        if not isinstance(data, dict) or not isinstance(data.get("parameters"), dict):
            return data
        known = ALGORITHMS.get(str(data.get("name")))
        former = {} if known is None else known.former_parameters
        given = data["parameters"]
        renamed = {former.get(key, key): value for key, value in given.items()}
        return data if len(renamed) < len(given) else {**data, "parameters": renamed}

    @field_validator("name")
    @classmethod
    def _name_is_known(cls, value: str) -> str:
        return check_known("algorithm", value, ALGORITHMS)

    @field_validator("k")
    @classmethod
    def _k_is_a_range(
        cls, value: int | tuple[int, int], info: ValidationInfo
    ) -> int | tuple[int, int]:
        name = info.data.get("name")
        if name is not None and ALGORITHMS[name].finds_k:
            raise ValueError(f"{name} finds its own number of clusters; leave k out")
        low, high = (value, value) if isinstance(value, int) else value
        if low < 2 or high < low:
            raise ValueError("k is a number from 2, or a range [from, to] with from <= to")
        return value

    @field_validator("parameters")
    @classmethod
    def _parameters_are_known(
        cls, value: dict[str, object], info: ValidationInfo
    ) -> dict[str, object]:
        name = info.data.get("name")
        wrong = refused(name, value) if name is not None else None
        if wrong is not None:
            raise ValueError(wrong)
        return value

    @model_serializer(mode="wrap")
    def _without_k_where_it_is_found(
        self, serialize: SerializerFunctionWrapHandler
    ) -> dict[str, object]:
        # What is written checks as a study again: such an algorithm takes no k.
        written: dict[str, object] = serialize(self)
        if self.finds_k:
            written.pop("k", None)
        return written

    @property
    def finds_k(self) -> bool:
        """Whether the algorithm finds the number of clusters itself."""
        return ALGORITHMS[self.name].finds_k

    @property
    def ks(self) -> list[int]:
        """The numbers of clusters to try; none where the algorithm finds its own."""
        if self.finds_k:
            return []
        low, high = (self.k, self.k) if isinstance(self.k, int) else self.k
        return list(range(low, high + 1))
