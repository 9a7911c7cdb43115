"""What each encoder takes: parameters, their defaults and their limits."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Activation = Literal[
    "relu", "leaky_relu", "elu", "selu", "silu", "softplus", "sigmoid", "tanh", "linear"
]
ReconstructionMeasure = Literal["mse", "mae", "huber", "log_cosh"]
Units = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """Parameters of one encoder; frozen once checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]


class IdentitySettings(Settings):
    """No encoding: the points as they are."""

    kind = "none"


class PcaSettings(Settings):
    """Principal components.

    ``components`` is a number of components (integer), or the share of the variance to
    explain (0 < share <= 1, written with a point: ``1.0`` keeps all, ``1`` keeps one).
    """

    kind = "pca"
    components: (
        Annotated[int, Field(ge=1, strict=True)]
        | Annotated[float, Field(gt=0.0, le=1.0, strict=True)]
    ) = 0.8


class TextSettings(Settings):
    """A sentence for each row, and the model that embeds it.

    ``template`` names columns in braces (see :mod:`models_py.features.encoders.sentences`),
    ``words`` gives what stands for false and true in a column, ``missing`` for null. ``model`` is
    the path of a folder or a name; ``components`` of the embedding are kept.
    """

    kind = "text"
    template: str = Field(examples=["{job}, {age} years old"])
    words: dict[str, tuple[str, str]] = {}
    missing: str = "not known"
    model: str = "all-MiniLM-L6-v2"
    components: int = Field(32, ge=1)

    @field_validator("template")
    @classmethod
    def _template_names_columns(cls, value: str) -> str:
        from models_py.features.encoders.sentences import template_columns

        template_columns(value)
        return value


class TrainingSettings(Settings):
    """How a network is trained: Adam, early stopping, learning-rate halving.

    ``epochs`` is the most that are run. Training stops after ``stop_patience`` epochs
    without a lower validation loss and keeps the best weights; the learning rate is
    multiplied by ``halve_factor`` after ``halve_patience`` epochs without one.

    ``principal_components`` (a number, or a share of the variance as for ``pca``) puts principal
    components before the network. ``stratify_by`` names a column of the study, such as its label,
    whose values have the same shares in the rows kept aside for validation.
    """

    batch_size: int = Field(32, ge=1)
    epochs: int = Field(100, ge=1)
    learning_rate: float = Field(0.001, gt=0.0)
    stop_patience: int = Field(15, ge=1)
    halve_patience: int = Field(5, ge=1)
    halve_factor: float = Field(0.5, gt=0.0, lt=1.0)
    minimum_learning_rate: float = Field(1e-6, ge=0.0)
    validation_share: float = Field(0.2, gt=0.0, lt=1.0)
    stratify_by: str | None = None
    principal_components: (
        Annotated[int, Field(ge=1, strict=True)]
        | Annotated[float, Field(gt=0.0, le=1.0, strict=True)]
        | None
    ) = None


class AutoencoderSettings(TrainingSettings):
    """Mirrored dense layers; the defaults are input-16-12-8-12-16-input.

    ``layers`` are the units of the encoding half, the last being the embedding;
    ``dropout`` follows every hidden layer but the embedding.
    """

    kind = "autoencoder"
    layers: tuple[Units, ...] = Field((16, 12, 8), min_length=1)
    activation: Activation = "relu"
    embedding_activation: Activation = "relu"
    output_activation: Activation = "linear"
    dropout: float = Field(0.2, ge=0.0, lt=1.0)
    loss: ReconstructionMeasure = "mse"


class DenoisingSettings(AutoencoderSettings):
    """An autoencoder that learns to undo noise put on its inputs.

    ``noise`` is the standard deviation of what is added (``gaussian``) or the share of
    values set to zero (``masking``, below 1).
    """

    kind = "denoising_autoencoder"
    noise: float = Field(0.2, gt=0.0)
    noise_kind: Literal["gaussian", "masking"] = "gaussian"


class VariationalSettings(TrainingSettings):
    """A variational autoencoder; ``beta`` weighs the divergence from the prior.

    With a Gaussian decoder ``beta`` is the variance that the decoder leaves unexplained in
    each (scaled) feature: 1 is the textbook bound for unit variance, less keeps more detail.
    """

    kind = "variational_autoencoder"
    layers: tuple[Units, ...] = Field((16, 12, 8), min_length=1)
    activation: Activation = "relu"
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    beta: float = Field(0.1, ge=0.0)


class DecSettings(AutoencoderSettings):
    """Deep embedded clustering into ``k`` clusters.

    The autoencoder is trained first; then at most ``refine_epochs`` epochs pull the
    embedding together until less than ``tolerance`` of the rows change cluster.
    ``freedom`` is the degrees of freedom of the Student kernel.
    """

    kind = "dec"
    k: int = Field(ge=2, examples=[5])
    layers: tuple[Units, ...] = Field((32, 16, 4), min_length=1)
    batch_size: int = Field(256, ge=1)
    epochs: int = Field(200, ge=1)
    embedding_activation: Activation = "linear"
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    restarts: int = Field(20, ge=1)
    refine_epochs: int = Field(50, ge=1)
    tolerance: float = Field(0.001, ge=0.0, lt=1.0)
    freedom: float = Field(1.0, gt=0.0)
