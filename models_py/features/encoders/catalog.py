"""Encoders by kind: checking parameters, building, loading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from models_py.features.encoders.storage import SavedEncoderError, read_manifest
from models_py.base.errors import StudyError, near_match
from models_py.base.imports import import_named
from models_py.features.encoders import settings as known

if TYPE_CHECKING:
    from models_py.features.encoders.base import Encoder


@dataclass(frozen=True)
class EncoderEntry:
    """What the package knows of one kind of encoder.

    Attributes
    ----------
    settings
        What it takes.
    code
        ``"module:class"``, a module of this package; imported when used.
    extra
        The package's extra that it needs installed.
    reconstructs
        Whether a study may have values reconstructed by it before they are encoded.
    """

    settings: type[known.Settings]
    code: str
    extra: str | None = None
    reconstructs: bool = False

    def load(self) -> type[Encoder]:
        """Import the class."""
        loaded: type[Encoder] = import_named("models_py.features.encoders", self.code)
        return loaded


ENCODERS: dict[str, EncoderEntry] = {
    "none": EncoderEntry(known.IdentitySettings, "none:IdentityEncoder", reconstructs=True),
    "pca": EncoderEntry(known.PcaSettings, "pca:PcaEncoder", reconstructs=True),
    "autoencoder": EncoderEntry(
        known.AutoencoderSettings, "autoencoder:Autoencoder", extra="autoencoder"
    ),
    "denoising_autoencoder": EncoderEntry(
        known.DenoisingSettings,
        "autoencoder:DenoisingAutoencoder",
        extra="autoencoder",
        reconstructs=True,
    ),
    "variational_autoencoder": EncoderEntry(
        known.VariationalSettings, "variational:VariationalAutoencoder", extra="autoencoder"
    ),
    "text": EncoderEntry(known.TextSettings, "text:TextEncoder", extra="text"),
    "dec": EncoderEntry(known.DecSettings, "dec:DeepEmbeddedClustering", extra="autoencoder"),
}
"""Every kind of encoder once, in the order in which they are listed to a user."""

RECONSTRUCTING = tuple(kind for kind, entry in ENCODERS.items() if entry.reconstructs)


@dataclass(frozen=True)
class EncoderSpec:
    """A kind of encoder and its parameters, as a study writes them."""

    kind: str
    parameters: Mapping[str, object] = field(default_factory=dict)


def check_encoder(kind: str, parameters: Mapping[str, object]) -> known.Settings:
    """Return the checked settings; imports nothing heavy.

    Raises
    ------
    StudyError
        For an unknown kind or parameter (with the near match) or a value out of its limits.
    """
    if kind not in ENCODERS:
        raise StudyError(
            f"unknown encoder '{kind}'{near_match(kind, ENCODERS)} (known: {', '.join(ENCODERS)})"
        )
    settings_class = ENCODERS[kind].settings
    try:
        return settings_class.model_validate(dict(parameters))
    except ValidationError as error:
        reason = _reason(settings_class, error.errors()[0])
        raise StudyError(f"encoder '{kind}': {reason}") from error


def build_encoder(spec: EncoderSpec) -> Encoder:
    """Return an encoder that is ready to be fitted.

    Raises
    ------
    StudyError
        As ``check_encoder``.
    """
    checked = check_encoder(spec.kind, spec.parameters)
    return ENCODERS[spec.kind].load()(checked)


def load_encoder(folder: Path) -> Encoder:
    """Read a saved encoder of any kind.

    Raises
    ------
    SavedEncoderError
        When a file is missing or was changed, or the kind is not known.
    """
    kind = read_manifest(folder).kind
    if kind not in ENCODERS:
        raise SavedEncoderError(
            f"{folder}: holds an encoder of unknown kind '{kind}' (known: {', '.join(ENCODERS)})"
        )
    return ENCODERS[kind].load().load(folder)


def _reason(settings_class: type[known.Settings], error: Any) -> str:
    key = str(error["loc"][0]) if error["loc"] else "parameters"
    allowed = list(settings_class.model_fields)
    if error["type"] == "extra_forbidden":
        takes = ", ".join(allowed) or "none"
        return f"has no parameter '{key}'{near_match(key, allowed)} (it takes: {takes})"
    if error["type"] == "missing":
        examples = settings_class.model_fields[key].examples or []
        such_as = f", such as {key} = {examples[0]!r}" if examples else ""
        return f"parameter '{key}' is missing; give it{such_as}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{key} = {error['input']!r}: {message[0].lower()}{message[1:]}"
