"""Where a fitted run lies: a home that goes when nobody needs it, or one that stays."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from models_py.base import settings
from models_py.base.errors import UsageError

if TYPE_CHECKING:
    from models_py.database.connection import Warehouse
    from models_py.report.facts import Facts
    from models_py.runs.saved import SavedRun


@dataclass
class Workspace:
    """Where a fitted result's warehouse and models are.

    Attributes
    ----------
    warehouse
        The DuckDB file.
    home
        The folder with the models; None for the home of the commands.
    temporary
        Removes the home with this object; None for one that stays.
    """

    warehouse: Path
    home: Path | None = None
    temporary: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def fresh(cls) -> Workspace:
        """Return an empty one that goes with the object."""
        temporary = tempfile.TemporaryDirectory(prefix="segmenthouse_", ignore_cleanup_errors=True)
        home = Path(temporary.name)
        with settings.home_at(home):
            return cls(settings.warehouse_path(), home, temporary)

    @classmethod
    def of_home(cls, home: Path) -> Workspace:
        """Return one in a home that stays."""
        with settings.home_at(home):
            return cls(settings.warehouse_path(), home)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let everything under this name go to the home."""
        if self.home is None:
            yield
            return
        with settings.home_at(self.home):
            yield

    def packed(self) -> bytes:
        """Return the home as the bytes of a zip archive."""
        home = self._own_home()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(home.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(home))
        return packed.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes) -> Workspace:
        """Return a fresh one with what :meth:`packed` gave."""
        workspace = cls.fresh()
        assert workspace.home is not None
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(workspace.home)
        return workspace

    def copy_to(self, folder: Path) -> None:
        """Copy the home into a folder that is not there yet, or is empty.

        Raises
        ------
        UsageError
            It is there with something in it, or cannot be written.
        """
        home = self._own_home()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already: name a folder that is not, or is empty")
        try:
            shutil.copytree(home, folder, dirs_exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder} cannot be written ({error.strerror or error})") from error

    def _own_home(self) -> Path:
        if self.home is None:
            raise UsageError(
                f"the run is kept in {self.warehouse} and its home already: open it again with"
                " segmenthouse.load(HOME, study=NAME)"
            )
        return self.home


@dataclass
class KeptRun:
    """A finished run and where it lies; what is read of it is read once."""

    run_id: str
    workspace: Workspace

    @cached_property
    def facts(self) -> Facts:
        """Everything that its page is made of."""
        from models_py.report.facts import read_facts

        with self.workspace.entered():
            return read_facts(self.run_id, self.workspace.warehouse)

    @cached_property
    def saved(self) -> SavedRun:
        """Its models."""
        from models_py.runs.storage import load_run_models

        with self.workspace.entered():
            return load_run_models(settings.models_dir(self.run_id), self.run_id)

    def opened(self) -> AbstractContextManager[Warehouse]:
        """Open its warehouse for reading."""
        from models_py.database.connection import open_warehouse

        return open_warehouse(self.workspace.warehouse, read_only=True)

    def __getstate__(self) -> dict[str, object]:
        is_temporary = self.workspace.temporary is not None
        return {
            "run_id": self.run_id,
            "workspace": self.workspace.packed() if is_temporary else self.workspace,
        }

    def __setstate__(self, state: dict[str, object]) -> None:
        self.run_id = str(state["run_id"])
        workspace = state["workspace"]
        if isinstance(workspace, bytes):
            workspace = Workspace.unpacked(workspace)
        assert isinstance(workspace, Workspace)
        self.workspace = workspace
