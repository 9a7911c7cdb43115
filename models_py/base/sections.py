"""What every section of a study file obeys, and the types that sections share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

from models_py.base.errors import near_match

Share = Annotated[float, Field(ge=0.0, le=1.0)]

# TOML has lists and no tuples; their items are taken strictly all the same.
Range = Annotated[tuple[int, int], Strict(False)]

# TOML has no null: a limit that does not hold is written "none".
Unlimited = BeforeValidator(lambda value: None if value == "none" else value)


class Section(BaseModel):
    """A section of a study file: frozen, and strict about its keys and their types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def check_known(what: str, name: str, known: Collection[str]) -> str:
    """Return the name if it is known.

    Parameters
    ----------
    what
        What the name stands for, such as ``"encoder"``.
    name
        As a study writes it.
    known
        What is allowed.

    Raises
    ------
    ValueError
        With the near match and all that is known; pydantic adds the key and the value.
    """
    if name not in known:
        raise ValueError(f"unknown {what}{near_match(name, known)} (known: {', '.join(known)})")
    return name
