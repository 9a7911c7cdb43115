"""A heat map of how the segments of different partitions resemble each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models_py.base.arrays import FloatArray
from models_py.base.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

MOST_LABELLED = 40
CELL_INCHES = 0.45


def draw_resemblance(
    segments: pd.DataFrame, resemblance: pd.DataFrame, partition_by: str, path: Path
) -> Path:
    """Draw the correlation of every two segments' mean differences as a picture.

    Parameters
    ----------
    segments
        Rows of ``results.segments`` of one run.
    resemblance
        Rows of ``results.partition_resemblance`` of the same run.
    partition_by
        The column that the partitions are values of.
    path
        The PNG file to write; its folder is made.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    """
    figure_class = matplotlib_figure()
    ordered = segments.sort_values(["partition", "size"], ascending=[True, False])
    ids = ordered["segment_id"].to_numpy()
    values = (
        resemblance.pivot_table(
            index="segment_id", columns="other_segment_id", values="correlation", dropna=False
        )
        .reindex(index=ids, columns=ids)
        .to_numpy(dtype=np.float64)
    )
    labels = [f"{p}: {name}" for p, name in zip(ordered["partition"], ordered["name"], strict=True)]
    side = max(5.0, CELL_INCHES * len(ids))
    figure = figure_class(figsize=(side + 4.0, side + 1.0), layout="constrained", dpi=120)
    _draw(figure, values, labels, partition_by)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_picture(figure, path)
    return path


def matplotlib_figure() -> Any:
    """Return matplotlib's class of figures.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "pictures need matplotlib: pip install -c constraints.txt -e '.[report]'"
        ) from error
    return Figure


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure as PNG, drawn once: ``savefig`` draws it twice for the layout."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.frombuffer(
        "RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1
    )
    picture.convert("RGB").save(path, dpi=(figure.dpi, figure.dpi))


def _draw(figure: Any, values: FloatArray, labels: list[str], partition_by: str) -> None:
    axes = figure.add_subplot()
    image = axes.imshow(values, vmin=-1.0, vmax=1.0, cmap="RdBu_r")
    places = range(len(labels))
    if len(labels) <= MOST_LABELLED:
        axes.set_yticks(places, labels, fontsize=8)
        axes.set_xticks(places, [label.split(":")[0] for label in labels], fontsize=8, rotation=90)
        for row, column in np.ndindex(values.shape):
            shade = "white" if abs(values[row, column]) > 0.6 else "black"
            text = f"{values[row, column]:.1f}".replace("-0.0", "0.0")
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color=shade)
    axes.set_title(
        f"How segments of different {partition_by.replace('_', ' ')} resemble each other\n"
        "correlation of their differences from their own partition's means",
        fontsize=10,
    )
    figure.colorbar(image, ax=axes, shrink=0.7)
