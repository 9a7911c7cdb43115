"""Small and odd tables: a run and its page, or one line; never a raw warning."""

from __future__ import annotations

import warnings
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from models_py.base import settings
from models_py.commands import new_study, run_clustering
from models_py.commands.exit_codes import end


def rows(count: int, columns: int = 2) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    group = np.arange(count) % 2
    features = {
        f"x{i}": (10 * group + generator.normal(0, 1, count)).round(2) for i in range(columns)
    }
    return pd.DataFrame({"id": [f"c{i}" for i in range(count)], **features})


def alike(count: int) -> pd.DataFrame:
    return pd.DataFrame({"id": range(count), "x0": 0.3, "x1": [0.1 + 0.2, 0.3] * (count // 2)})


def run(frame: pd.DataFrame, *words: str) -> int:
    path = settings.warehouse_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as database:
        database.execute("create schema gold")
        database.register("given", frame)
        database.execute("create table gold.small as select * from given")
    Path("small.toml").write_text(
        'title = "Small"\ntable = "gold.small"\nentity = "id"\n'
        '[features]\ninclude = ["x*"]\nlog1p = "auto"\nwinsorise = 0.005\n'
        '[[encoding]]\nkind = "pca"\nparameters = { components = 0.9 }\n'
        '[[algorithms]]\nname = "kmeans"\nk = [2, 2]\n[stability]\nrefits = 4\n'
    )
    return run_clustering.main(["--study", "small.toml", *words])


@pytest.mark.parametrize(
    ("frame", "code", "line"),
    [
        (rows(1), 1, "1 row cannot be segmented: at least 2 are needed"),
        (rows(2), 1, "needs more than 2 rows"),
        (alike(30), 1, "no usable feature is left of 2 columns (first: x0: constant (0.3))"),
        (rows(6, 1), 0, ""),
        (rows(20), 0, ""),
    ],
    ids=["1 row", "2 rows", "all alike", "one feature", "20 rows"],
)
def test_a_run_or_one_line(
    frame: pd.DataFrame,
    code: int,
    line: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(home)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        # With it set, a command hides no warning.
        monkeypatch.setattr(settings, "shows_tracebacks", lambda: True)
        assert run(frame, "--no-report") == code
    error = capsys.readouterr().err
    assert line in error
    numeric = [str(one.message) for one in seen if issubclass(one.category, RuntimeWarning)]
    assert numeric == []


def test_five_rows_have_a_page(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    assert run(rows(5)) == 0
    assert "Warning" not in capsys.readouterr().err
    (page,) = (home / "reports").rglob("*.html")
    assert "are too few" in page.read_text()


def test_a_table_of_codes_alone_has_a_page(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one number says what a code says and goes; so few rows of each code are not counted."""
    monkeypatch.chdir(home)
    codes = ["1,2016,101", "2,2153,377", "1,4211,245", "2,2016,101", "2,4211,610"]
    spends = ["120.5", "80.0", "44.2", "310.9", "95.0"]
    lines = [f"C{i},{s},{c}\n" for i, (s, c) in enumerate(zip(spends, codes, strict=True))]
    Path("codes.csv").write_text("".join(["id,spend,sex,postcode,branch\n", *lines]))
    assert new_study.main(["--input", "codes.csv", "--id", "id"]) == 0
    assert run_clustering.main(["--study", "codes.toml"]) == 0
    assert "all customers" in capsys.readouterr().out
    assert len(list((home / "reports").rglob("index.html"))) == 1


def test_a_command_hides_what_libraries_warn_of(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        warnings.warn("a library's own business", stacklevel=1)
        np.float64(1.0) / np.float64(0.0)
        return 0

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert end(work) == 0
    assert seen == []
