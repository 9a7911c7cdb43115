"""The wheel of this tree in an environment of its own: from a CSV file to a page, no checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

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


def steps_of_the_workflow() -> list[list[str]]:
    """The commands from a file to a page, as the checks give them on every Python."""
    workflow = settings.repository() / ".github" / "workflows" / "checks.yml"
    job = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["package"]
    lines = job["steps"][-1]["run"].splitlines()
    return [line.split()[1:] for line in lines if line.startswith("segmenthouse ")]


def test_three_commands_lead_from_a_file_to_a_page(command: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    kinds = generator.integers(0, 3, 200)
    spends = generator.normal(np.array([10, 50, 90])[kinds], 5)
    visits = generator.poisson(np.array([3, 10, 20])[kinds])
    lines = [f"c{n:03d},{s:.2f},{v}" for n, (s, v) in enumerate(zip(spends, visits, strict=True))]
    file = tmp_path / "clients.csv"
    file.write_text("\n".join(["client_id,spend,visits", *lines]) + "\n", encoding="utf-8")

    made, drafted, ran = (
        run(command, *words, cwd=folder)
        for words, folder in zip(
            steps_of_the_workflow(), (tmp_path, tmp_path / "shop", tmp_path / "shop"), strict=True
        )
    )
    assert (made.returncode, drafted.returncode, ran.returncode) == (0, 0, 0), drafted.stderr
    home = tmp_path / "shop"
    assert "segmenthouse run --study" in drafted.stdout
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


def test_the_image_is_built_of_what_it_copies(wheel: Path, tmp_path: Path) -> None:
    """No engine is to be had for the whole of it: its steps are taken one by one."""
    text = (settings.repository() / "scripts" / "Dockerfile").read_text(encoding="utf-8")
    for sources, target in re.findall(r"^COPY (.+) (/source\S*)$", text, re.MULTILINE):
        for source in sources.split():
            place = tmp_path / target.removeprefix("/")
            copy_as_docker(settings.repository() / source, place)
    source = tmp_path / "source"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.whl")
    assert zipfile.ZipFile(built).namelist() == zipfile.ZipFile(wheel).namelist()
    (installed,) = re.findall(r'--constraint (\S+) "/source\[(.+)\]"', text)
    assert (tmp_path / installed[0].removeprefix("/")).is_file()
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(installed[1].split(",")) <= set(project["optional-dependencies"])
    (entry,) = re.findall(r'^ENTRYPOINT \["(.+)"\]$', text, re.MULTILINE)
    assert entry in project["scripts"]


def copy_as_docker(source: Path, place: Path) -> None:
    """A file goes into the folder, a folder's content becomes the folder's."""
    if source.is_dir():
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
