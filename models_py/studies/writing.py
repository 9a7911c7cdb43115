"""A study as the text of its file."""

from __future__ import annotations

import json
import re
from typing import Any

from models_py.studies.study import Study

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def study_text(study: Study, comment: str) -> str:
    """Return a study as TOML: what differs from the defaults, and a comment above it.

    Parameters
    ----------
    study
        Its name is left out: it is that of the file.
    comment
        One line or several.
    """
    content = study.model_dump(mode="json", exclude_defaults=True)
    content.pop("name", None)
    lines = [f"# {line}" for line in comment.splitlines()]
    return "\n".join([*lines, *_section(content, "")]) + "\n"


def _section(content: dict[str, Any], path: str) -> list[str]:
    plain = {key: value for key, value in content.items() if not _is_section(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in content.items():
        if key in plain:
            continue
        inner = f"{path}.{_key(key)}" if path else _key(key)
        for item in value if isinstance(value, list) else [value]:
            title = f"[[{inner}]]" if isinstance(value, list) else f"[{inner}]"
            lines += ["", title, *_section(item, inner)]
    return lines


def _is_section(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _value(value: Any) -> str:
    if value is None:
        # Only where the default is another: a study says it so.
        return '"none"'
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    # Strings, numbers and booleans are written as in JSON, whose escapes TOML reads.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
