"""The home of a result that was asked for without one: a folder that goes when nobody needs it."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models_py.base import settings
from models_py.base.errors import UsageError


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
