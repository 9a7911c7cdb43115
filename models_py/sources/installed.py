"""Data that came with an installed package."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def installed_data_dir(package: str) -> Path | None:
    """Return the folder ``data`` of an installed package, or None where it is missing.

    The package is found but not imported, for an import may read every table.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "data"
