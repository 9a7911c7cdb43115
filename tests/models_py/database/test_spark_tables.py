"""What is refused before Spark is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_py.base.errors import WarehouseError
from models_py.commands.run_night import main as run_night
from models_py.database.spark_tables import session_for_studies

STUDY = """\
name = "far"
title = "Customers on Spark"
table = "gold.customers"
entity = "customer_id"
engine = "spark"

[features]
include = ["*_share"]

[outliers]
method = "none"

[[algorithms]]
name = "kmeans"
k = 3
"""


def test_a_connect_server_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    monkeypatch.setenv("SPARK_REMOTE", "sc://host:15002")
    with pytest.raises(WarehouseError, match=r"unset it and name the cluster's master, such as"):
        session_for_studies()


def test_a_night_leaves_a_table_on_spark_alone(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "far.toml"
    file.write_text(STUDY)
    assert run_night(["--study", str(file)]) == 2
    assert "study far has its table on Spark" in capsys.readouterr().out
    assert list(home.iterdir()) == [file]
