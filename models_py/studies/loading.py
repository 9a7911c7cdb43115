"""Finding and reading study files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from models_py.errors import StudyError, near_match
from models_py.studies.study import Study

SHIPPED = Path(__file__).resolve().parent / "shipped"
DEFAULT = "grocery_customers"


def shipped_studies() -> dict[str, Path]:
    """Return the studies that come with the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def load_study(name_or_file: str) -> Study:
    """Read a shipped study by name, or a study file by path.

    Raises
    ------
    StudyError
        No such study, unreadable TOML, or a key or value that is not allowed; the message
        names the file, the key, the value and what is allowed.
    """
    shipped = shipped_studies()
    path = shipped.get(name_or_file, Path(name_or_file))
    if not path.is_file():
        raise StudyError(
            f"no study '{name_or_file}'{near_match(name_or_file, shipped)}"
            f" (shipped: {', '.join(shipped)}; or give the path of a .toml file)"
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not readable TOML: {error}") from error
    return check_study({"name": path.stem, **content}, str(path))


def check_study(content: dict[str, Any], source: str) -> Study:
    """Check a study's content; ``source`` is named in the message of what is wrong.

    Raises
    ------
    StudyError
        The first thing that is wrong, in one line.
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise StudyError(f"{source}: {_told(first, len(error.errors()))}") from error


def _told(error: Any, count: int) -> str:
    place = [part for part in error["loc"] if not _is_union_branch(part)]
    key = ".".join(str(part) for part in place) or "study"
    more = f" (and {count - 1} more)" if count > 1 else ""
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(place)
        return (
            f"unknown key '{key}'{near_match(str(place[-1]), allowed)}"
            f" (allowed here: {', '.join(allowed)}){more}"
        )
    if error["type"] == "missing":
        return f"key '{key}' is missing{more}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{key} = {error['input']!r}: {message[0].lower()}{message[1:]}{more}"


def _is_union_branch(part: object) -> bool:
    # pydantic names the branch of a union it tried; a user never wrote it.
    branches = ("literal[", "list[", "tuple[", "constrained")
    return isinstance(part, str) and (part in {"float", "int"} or part.startswith(branches))


def _allowed_keys(place: list[Any]) -> list[str]:
    model: type[BaseModel] = Study
    for part in place[:-1]:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            nested = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type)]
            model = next((a for a in nested if issubclass(a, BaseModel)), model)
    return list(model.model_fields)
