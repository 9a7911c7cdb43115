"""Finding and reading study files."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from models_py.base import settings
from models_py.base.errors import StudyError, UsageError, near_match
from models_py.clustering.algorithms import ALGORITHMS
from models_py.studies.listing import shipped_studies
from models_py.studies.study import Study

IN_TOML = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "list_type": "a list in brackets",
    "tuple_type": "a list of two whole numbers",
    "too_long": "a list of two whole numbers",
    "dict_type": "a table of keys and values",
    "model_type": "a section of keys and values",
}
"""What a type is called in a study file, by pydantic's name of the error."""


def load_study(name_or_file: str) -> Study:
    """Read a shipped study by name, one in the home's ``studies``, or a study file by path.

    Raises
    ------
    StudyError
        No such study, unreadable TOML, or a key or value that is not allowed; the message
        names the file, the key, the value and what is allowed.
    """
    shipped = shipped_studies()
    path = shipped.get(name_or_file, Path(name_or_file))
    own = settings.home() / "studies" / f"{path.name}.toml"
    if name_or_file and not path.exists() and own.is_file():
        path = own
    if name_or_file and path.is_dir():
        raise StudyError(f"{path} is a folder: name the .toml file in it")
    if not path.is_file() and path.suffix == ".toml":
        beside = [file.name for file in path.parent.glob("*.toml")]
        raise StudyError(
            f"there is no file {name_or_file}{near_match(path.name, beside)}; --list-studies names"
            " the studies that are shipped"
        )
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


def parse_study(text: str, name: str) -> Study:
    """Return the study that a text of TOML describes, as a file of that name would."""
    return check_study({"name": name, **tomllib.loads(text)}, name)


_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_study(content: dict[str, Any], source: str) -> Study:
    """Check a study's content; ``source`` is named in the message of what is wrong.

    Raises
    ------
    StudyError
        The first thing that is wrong, in one line.
    """
    try:
        study = Study.model_validate(content)
    except ValidationError as error:
        raise StudyError(f"{source}: {_summary(error.errors())}") from error
    if not _NAME.fullmatch(study.name):
        # Only here: a run of an earlier version may have been recorded under any name.
        raise StudyError(
            f"{source}: name = {study.name!r}: should be 1 to 64 letters from A to Z, digits, _"
            " and - (the file's own name where none is given)"
        )
    return study


def study_from_json(content: dict[str, Any]) -> Study:
    """Return the study that a run was recorded with.

    Parameters
    ----------
    content
        What ``model_dump(mode="json")`` gave of it; changed in place.

    Raises
    ------
    ValueError
        Another version wrote it, with keys or values that this one does not know.
    """
    for algorithm in content["algorithms"]:
        # A study may not give k to an algorithm that finds its own number; the default would.
        if ALGORITHMS[algorithm["name"]].finds_k:
            algorithm.pop("k", None)
    return Study.model_validate_json(json.dumps(content))


def with_k(study: Study, k: int) -> Study:
    """Return the study with this number of segments for every algorithm that is given one.

    Raises
    ------
    UsageError
        It is below 2, or every algorithm finds its own.
    """
    if k < 2:
        raise UsageError(f"--k {k}: at least 2 segments")
    algorithms = [
        algorithm.model_copy(update={"k": k})
        for algorithm in study.algorithms
        if not algorithm.finds_k
    ]
    if not algorithms:
        raise UsageError(f"--k {k}: every algorithm of study {study.name} finds its own number")
    # Parts of one range of k have become the same.
    distinct = [
        algorithm
        for place, algorithm in enumerate(algorithms)
        if algorithm not in algorithms[:place]
    ]
    return study.model_copy(update={"algorithms": distinct})


def _summary(errors: Sequence[Any]) -> str:
    # A value that fits no branch of a union brings one error a branch: reported as a single error.
    first, place = errors[0], _place(errors[0])
    keys = {_key(_place(error)) for error in errors}
    others = [key for key in keys if not key.startswith(_key(place))]
    more = f" (and {len(others)} more)" if others else ""
    if first["type"] == "extra_forbidden":
        allowed = _allowed_keys(place)
        return (
            f"unknown key '{_key(place)}'{near_match(str(place[-1]), allowed)}"
            f" (allowed here: {', '.join(allowed)}){more}"
        )
    if first["type"] == "missing":
        return f"key '{_key(place)}' is missing{more}"
    given = f"{_key(place)} = {first['input']!r}"
    if first["type"] == "value_error":
        return f"{given}: {str(first['msg']).removeprefix('Value error, ')}{more}"
    branches = [error for error in errors if _place(error) == place]
    wanted = " or ".join(dict.fromkeys(_wanted(error) for error in branches))
    words = re.findall(r"'([^']+)'", wanted)
    return f"{given}: should be {wanted}{near_match(str(first['input']), words)}{more}"


def _place(error: Any) -> list[Any]:
    return [part for part in error["loc"] if not _is_union_branch(part)]


def _key(place: Sequence[Any]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "study"


def _wanted(error: Any) -> str:
    if error["type"].endswith("too_short"):
        return f"of length {error['ctx']['min_length']} or more"
    text = str(error["msg"]).removeprefix("Input should be ")
    return IN_TOML.get(error["type"], f"{text[0].lower()}{text[1:]}")


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
