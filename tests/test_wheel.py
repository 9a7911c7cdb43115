"""The wheel of this tree in an environment of its own: from a CSV file to a page, no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models_py.base import settings
from models_py.studies.listing import shipped_studies


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=settings.repository(), check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command; the packages that it needs are those of this environment."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    subprocess.run([*install, "--no-index", "-q", str(wheel)], check=True, capture_output=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "zz_needed.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")
    return python.with_name("segmenthouse")


def outside() -> dict[str, str]:
    left_out = {"PYTHONPATH", settings.HOME_VARIABLE}
    return {name: value for name, value in os.environ.items() if name not in left_out}


def run(command: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command, *words], cwd=cwd, env=outside(), capture_output=True, text=True, check=False
    )


def test_it_holds_what_git_holds_of_the_project_and_nothing_built(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    questions = {f"models_py/sql/{file.name}" for file in settings.sql_dir().glob("*.sql")}
    models = settings.dbt_project_dir()
    built = {models / "target", models / "logs"}
    project = {
        f"models_py/warehouse/{file.relative_to(models).as_posix()}"
        for file in models.rglob("*")
        if file.suffix in {".sql", ".yml", ".csv"} and not built & set(file.parents)
    }
    studies = {f"models_py/studies/shipped/{name}.toml" for name in shipped_studies()}
    plugin = {"dbt_segmenthouse.py"}
    assert questions | studies | project | plugin <= names
    assert not [name for name in names if "/target/" in name or "/logs/" in name]
    assert not [name for name in names if name.startswith(("tests/", "scripts/", "data/"))]


def test_three_commands_lead_from_a_file_to_a_page(command: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    kinds = generator.integers(0, 3, 200)
    spends = generator.normal(np.array([10, 50, 90])[kinds], 5)
    visits = generator.poisson(np.array([3, 10, 20])[kinds])
    lines = [f"c{n:03d},{s:.2f},{v}" for n, (s, v) in enumerate(zip(spends, visits, strict=True))]
    file = tmp_path / "clients.csv"
    file.write_text("\n".join(["client_id,spend,visits", *lines]) + "\n", encoding="utf-8")

    made = run(command, "init", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    home = tmp_path / "shop"
    drafted = run(
        command, "new-study", "--input", "../clients.csv", "--id", "client_id",
        "--output", "studies/clients.toml", cwd=home,
    )  # fmt: skip
    assert drafted.returncode == 0, drafted.stderr
    assert "segmenthouse run --study" in drafted.stdout
    ran = run(command, "run", "--study", "clients", cwd=home)
    assert ran.returncode == 0, ran.stderr
    (page,) = home.glob("reports/clients/*/index.html")
    text = page.read_text(encoding="utf-8")
    assert "segmenthouse score --study clients" in text
    assert "scripts/" not in text + ran.stdout + drafted.stdout
    asked = run(command, "sql", "latest_segments", "--format", "csv", cwd=home)
    assert len(asked.stdout.splitlines()) == ran.stdout.count("stability") + 3
    code = "import models_py; print(models_py.__file__)"
    found = subprocess.run(
        [command.with_name("python"), "-c", code], cwd=tmp_path, env=outside(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(settings.repository()) not in found.stdout


def test_a_home_is_laid_out_once(command: Path, tmp_path: Path) -> None:
    assert run(command, "init", "shop", cwd=tmp_path).returncode == 0
    again = run(command, "init", "shop", cwd=tmp_path)
    assert again.returncode == 2
    assert "shop is there already" in again.stderr
    assert run(command, "run", "--help", cwd=tmp_path).stdout.startswith("usage: segmenthouse run")
