"""Customer segments of a frame: found, explained, kept, queryable with SQL.

>>> from segmenthouse import segment
>>> found = segment(frame, id="customer_id")  # pandas, Polars or Arrow
>>> found.names  # and labels_, profiles, rules, stability
>>> found.report("page.html")

It is the road of the commands ``segmenthouse new-study`` and ``segmenthouse run``, over a
warehouse that lives as long as the result, or that ``warehouse=`` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models_py import __version__
from models_py.base.errors import SegmenthouseError

if TYPE_CHECKING:
    from segmenthouse.segmenter import Segmenter, load, segment

__all__ = ["Segmenter", "SegmenthouseError", "__version__", "load", "segment"]


def __getattr__(name: str) -> Any:
    # What finds segments is imported when it is first asked for.
    if name not in __all__:
        raise AttributeError(f"module 'segmenthouse' has no attribute '{name}'")
    from segmenthouse import segmenter

    return getattr(segmenter, name)


def __dir__() -> list[str]:
    return __all__
