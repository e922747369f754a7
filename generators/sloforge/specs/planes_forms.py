"""planes.yaml as it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from sloforge.located.words import shown
from sloforge.specs.fields import Duration, Name
from sloforge.specs.forms import Form
from sloforge.specs.words import Wrong

VERSION = "sloforge-planes/v1"
BASE_URL_PATTERN = r'^https?://[^\s"<>?#@]+$'
PATH_PATTERN = r'^/[^\s"<>]*$'
ENVIRONMENT_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
MOST_PLANES = 500


def _like(pattern: str, words: str) -> Callable[[str], str]:
    """Text of this pattern; `words` say what is expected."""

    def checked(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise Wrong(f"expected {words}, got {shown(value)}")
        return value

    return checked


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


BaseUrl = Annotated[
    str,
    AfterValidator(
        _like(
            BASE_URL_PATTERN, "an address such as https://{plane}.example.org, without credentials"
        )
    ),
    _text(BASE_URL_PATTERN),
]
UrlPath = Annotated[
    str, AfterValidator(_like(PATH_PATTERN, "a path that begins with `/`")), _text(PATH_PATTERN)
]
Variable = Annotated[
    str,
    AfterValidator(_like(ENVIRONMENT_PATTERN, "the name of an environment variable")),
    _text(ENVIRONMENT_PATTERN),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _spelled(value: str) -> dict[str, Any]:
    return {"default": value}


class TokenForm(Form):
    """Where the bearer token is found: exactly one of these."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["env"]}, {"required": ["file"]}]}
    )

    env: Variable | None = Field(None, description="An environment variable that holds it.")
    file: Text | None = Field(None, description="A file that holds it.")


class ApiForm(Form):
    """The paths of the API; {user}, {oracle} and {id} are replaced."""

    user: UrlPath = Field("/users/{user}", description="GET: 200 where the smoke user exists.")
    oracle: UrlPath = Field("/oracles/{oracle}", description="GET: 200 where the oracle exists.")
    predict: UrlPath = Field("/predict", description="POST: 200 with a prediction.")
    async_predict: UrlPath = Field("/async_predict", description="POST: 202 with a job's id.")
    result: UrlPath = Field("/jobs/{id}", description="GET: the job's state and its result.")
    cancel: UrlPath | None = Field(
        None, description="DELETE: ends a job that is given up; nothing is sent without it."
    )
    id_key: Text = Field("job", description="The key of the id in the answer to the submission.")
    status_key: Text = Field("status", description="The key of the state in the job.")
    done: list[Text] = Field(
        default_factory=lambda: ["done"], min_length=1, description="States of a finished job."
    )
    failed: list[Text] = Field(
        default_factory=lambda: ["failed"], description="States of a job that will never finish."
    )


class PlaneForm(Form):
    """One plane; what is left out is as in the head of the file."""

    name: Name = Field(description="Unique in the file; the label `plane`.")
    base_url: BaseUrl | None = Field(None, description="Where its API is.")
    user: Text | None = Field(None, description="The smoke user.")
    oracle: Text | None = Field(None, description="The model that is asked.")
    token: TokenForm | None = Field(None, description="Where the bearer token is found.")
    ca: Text | None = Field(None, description="A file with the only authority that is trusted.")
    timeout: Duration | None = Field(None, description="For one request.")
    deadline: Duration | None = Field(None, description="For a whole check.")
    slow_after: Duration | None = Field(None, description="A later asynchronous result is slow.")


class PlanesForm(Form):
    """The workload planes that are probed: planes.yaml."""

    version: Literal["sloforge-planes/v1"] = Field(description="The format.")
    service: Name = Field(
        "workload-planes", description="The service under slos/ that stands for the prober."
    )
    interval: Duration = Field(
        timedelta(minutes=1),
        description="How often each plane is checked; 1s to 1h.",
        json_schema_extra=_spelled("1m"),
    )
    ttl: Duration = Field(
        timedelta(minutes=2),
        description="After so long without a result, a plane is NO_VALUE.",
        json_schema_extra=_spelled("2m"),
    )
    base_url: BaseUrl | None = Field(
        None, description="Where the API of each plane is; {plane} is replaced."
    )
    user: Text = Field("admin__smoke_test_{plane}", description="The smoke user.")
    oracle: Text = Field("health-check-model", description="The model that is asked.")
    token: TokenForm | None = Field(None, description="Where the bearer token is found.")
    ca: Text | None = Field(None, description="A file with the only authority that is trusted.")
    timeout: Duration = Field(
        timedelta(seconds=5), description="For one request.", json_schema_extra=_spelled("5s")
    )
    deadline: Duration = Field(
        timedelta(seconds=30), description="For a whole check.", json_schema_extra=_spelled("30s")
    )
    slow_after: Duration = Field(
        timedelta(seconds=10),
        description="A later asynchronous result is slow.",
        json_schema_extra=_spelled("10s"),
    )
    echo: bool = Field(
        default=True,
        description="Whether the oracle's answers must hold the nonce they were asked with.",
    )
    api: ApiForm = Field(default_factory=ApiForm, description="The paths of the API.")
    planes: list[PlaneForm] = Field(
        min_length=1, max_length=MOST_PLANES, description="The planes, one by one."
    )
