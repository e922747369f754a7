"""An SLI template as it stands in its file: the source of its JSON Schema too."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sloforge.specs.forms import Form

VERSION = "sloforge-template/v1"
PARAMETER_PATTERN = r"^[a-z]([a-z0-9_]*[a-z0-9])?$"

ParameterName = Annotated[str, StringConstraints(pattern=PARAMETER_PATTERN, max_length=40)]
# What a value is, and so where it may stand and how it is written there.
Kind = Literal[
    "text",
    "regex",
    "matchers",
    "metric",
    "label",
    "number",
    "seconds",
    "milliseconds",
    "duration",
    "flag",
]


class ParameterForm(Form):
    """What somebody who uses the template may say, or must."""

    type: Kind = Field(description="What a value must be, and how it is written into PromQL.")
    description: str = Field(min_length=1, description="What it is for.")
    default: Any = Field(None, description="The value where none is given.")
    optional: bool = Field(
        default=False, description="Left out with the matcher it stands in, where none is given."
    )
    pattern: str = Field("", description="A regular expression that a text must match as a whole.")
    choices: list[Any] = Field(default_factory=list, description="The only values there are.")

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None and not self.optional


class TemplateForm(Form):
    """One SLI with parameters: a file under slos/library/."""

    version: Literal["sloforge-template/v1"] = Field(description="The format.")
    description: str = Field(min_length=1, description="What a good event is, in one sentence.")
    source: str = Field(
        "", description="Whose metrics these are, and in which version they were looked up."
    )
    needs: str = Field("", description="What must be set up first.")
    parameters: dict[ParameterName, ParameterForm] = Field(
        default_factory=dict, description="Name -> what somebody who uses it may say."
    )
    example: dict[ParameterName, Any] = Field(
        default_factory=dict,
        description="Parameters to show it with; all that are required must be there.",
    )
    sli: dict[str, Any] = Field(
        description="A native SLI of any kind; ${name} stands for a parameter."
    )
