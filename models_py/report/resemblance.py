"""A heat map of how the segments of different partitions resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
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
    labels = [
        literal_text(f"{partition}: {name}")
        for partition, name in zip(ordered["partition"], ordered["name"], strict=True)
    ]
    side = max(5.0, CELL_INCHES * len(ids))
    figure = figure_class(dpi=120)
    _draw(figure, side, values, labels, partition_by)
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


def add_axes(
    figure: Any,
    size: tuple[float, float],
    left: float,
    bottom: float,
    top: float,
    right: float = 0.15,
) -> Any:
    """Return axes with margins in inches on a figure of a size.

    Matplotlib's own layout draws every text several times to find these.
    """
    figure.set_size_inches(*size)
    width, height = size
    return figure.add_axes(
        (
            left / width,
            bottom / height,
            (width - left - right) / width,
            (height - bottom - top) / height,
        )
    )


def text_inches(texts: Sequence[str], size: float = 10.0) -> float:
    """Return how wide the longest text stands, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size)
    widths = [text_to_path.get_text_width_height_descent(text, font, False)[0] for text in texts]
    return float(max(widths, default=0.0)) / 72.0


def literal_text(text: str) -> str:
    """Return a text that matplotlib draws as it is: between dollars it would read a formula."""
    return text.replace("$", r"\$")


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


def _draw(
    figure: Any, side: float, values: FloatArray, labels: list[str], partition_by: str
) -> None:
    is_labelled = len(labels) <= MOST_LABELLED
    left = text_inches(labels, 8.0) + 0.3 if is_labelled else 0.6
    size = (left + side + 1.1, side + 1.6)
    axes = add_axes(figure, size, left=left, right=1.1, bottom=1.0, top=0.6)
    image = axes.imshow(values, vmin=-1.0, vmax=1.0, cmap="RdBu_r")
    places = range(len(labels))
    if is_labelled:
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
    beside = add_axes(figure, size, left=size[0] - 0.85, right=0.65, bottom=1.0, top=0.6)
    figure.colorbar(image, cax=beside)
