"""Code that a table names as text, so that reading the table imports nothing heavy."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def import_named(package: str, name: str) -> Any:
    """Import what a table names.

    Parameters
    ----------
    package
        Such as ``"models_py.clustering"``.
    name
        ``"module:attribute"`` of that package.
    """
    module, attribute = name.split(":")
    return getattr(import_module(f"{package}.{module}"), attribute)


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, without importing it."""
    return find_spec(package) is not None
