"""Which studies come with the package; light, so that a command's help names them at once."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).resolve().parent / "shipped"
DEFAULT = "grocery_customers"


def shipped_studies() -> dict[str, Path]:
    """Return the studies that come with the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}
