"""The memory there is, read from folders laid out as the kernel's."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from models_py.base.settings import memory_bytes

GB = 1_000_000_000


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """Lay out a machine with 8 GB free and files of control groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def group_files(folder: str, limit: str, usage: int, stat: str = "") -> dict[str, str]:
    names = ("memory.max", "memory.current", "memory.stat")
    return dict(
        zip((f"{folder}{name}" for name in names), (limit, f"{usage}\n", stat), strict=True)
    )


def older_files(folder: str, limit: int, usage: int, stat: str = "") -> dict[str, str]:
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat")
    texts = (f"{limit}\n", f"{usage}\n", stat)
    return dict(zip((f"memory/{folder}{name}" for name in names), texts, strict=True))


NO_LIMIT = 9_223_372_036_854_771_712


@pytest.mark.parametrize(
    ("groups", "files", "left"),
    [
        pytest.param("", {}, 8_192_000_000, id="nothing but free memory"),
        pytest.param("0::/a/b\n", group_files("a/b/", "3000000000\n", GB), 2 * GB, id="v2"),
        pytest.param(
            "0::/a/b\n",
            {**group_files("a/b/", "max\n", GB), **group_files("a/", "2500000000\n", 2 * GB)},
            GB // 2,
            id="v2, the limit of a parent",
        ),
        pytest.param(
            "0::/a\n",
            group_files("a/", f"{3 * GB}\n", 2 * GB, f"anon 5\ninactive_file {GB}\n"),
            2 * GB,
            id="v2, pages of files can be dropped",
        ),
        pytest.param("0::/host/path\n", group_files("", f"{GB}\n", 0), GB, id="v2, a container"),
        pytest.param(
            "4:memory:/job\n1:cpu:/\n0::/\n",
            {**older_files("job/", 4 * GB, GB), **older_files("", NO_LIMIT, 5 * GB)},
            3 * GB,
            id="v1",
        ),
        pytest.param(
            "4:cpu,memory:/a/b\n",
            {**older_files("a/b/", NO_LIMIT, GB), **older_files("a/", 2 * GB, GB)},
            GB,
            id="v1, the limit of a parent",
        ),
        pytest.param(
            "4:memory:/a\n",
            older_files("a/", GB, GB, f"total_inactive_file {GB // 4}\n"),
            GB // 4,
            id="v1, pages of files can be dropped",
        ),
        pytest.param("4:memory:/host\n", older_files("", GB, 0), GB, id="v1, a container"),
        pytest.param("0::/a\n", group_files("a/", f"{GB}\n", 2 * GB), 0, id="over the limit"),
    ],
)
def test_the_smallest_of_what_is_left(
    tmp_path: Path, groups: str, files: dict[str, str], left: int
) -> None:
    assert memory_bytes(machine(tmp_path, groups, files)) == left


def test_the_limit_of_address_space_less_what_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = machine(tmp_path, "", {})
    (root / "proc/self/status").write_text("Name:\tpython\nVmSize:\t 1000000 kB\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2 * GB, 2 * GB))
    assert memory_bytes(root) == 2 * GB - 1_024_000_000


def test_this_machine_has_some() -> None:
    assert 0 < memory_bytes() < 1 << 50
