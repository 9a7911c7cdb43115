"""The one place that imports Keras and JAX, when a network is first used.

JAX gets one thread: it cuts a product of matrices by the threads it has, so that sums, and
with them whole trainings, would depend on the machine. Batches of a few dozen rows gain
nothing from more.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from models_py.base.errors import MissingExtraError
from models_py.base.settings import use_keras_backend

INSTALL = 'pip install "segmenthouse[autoencoder]"'


def import_keras() -> Any:
    """Return the module ``keras`` with the backend chosen.

    Raises
    ------
    MissingExtraError
        When Keras or JAX is not installed.
    """
    return _imported("keras")


def import_jax() -> Any:
    """Return the module ``jax``.

    Raises
    ------
    MissingExtraError
        When JAX is not installed.
    """
    return _imported("jax")


def _imported(name: str) -> Any:
    use_keras_backend()
    os.environ["PJRT_NPROC"] = "1"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"encoders: a network needs the package '{error.name}', which is not installed; "
            f"run: {INSTALL}"
        ) from error
