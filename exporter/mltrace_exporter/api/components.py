"""Routes about components and their tags. Names may hold slashes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Path, Query
from pydantic import AfterValidator

from mltrace_exporter import marks
from mltrace_exporter.api.examples import answers, exemplify
from mltrace_exporter.api.parameters import Limit, Text, check_names, check_texts
from mltrace_exporter.api.problems import MAY_BE_FORBIDDEN, MAY_BE_MISSING
from mltrace_exporter.queries import components, distributions, outcomes
from mltrace_exporter.web import Reading, Writing
from mltrace_otel.contract.api import (
    CaseHistory,
    Component,
    ComponentRequest,
    MetricHistory,
    RunProfile,
    Tag,
    TagRequest,
)

router = APIRouter(tags=["components"])

NAME_LENGTH = 1000
TAG_LIMIT = 100

After = Annotated[
    Text | None,
    Query(description="The last name of the page before, to get the names that follow."),
]
Runs = Annotated[int, Query(ge=1, le=1000, description="How many runs to look at.")]
Name = Annotated[Text, Path(description="Its name.", examples=["inference"])]


def _check_words(request: ComponentRequest) -> ComponentRequest:
    check_texts(owner=request.owner, description=request.description)
    _check_tags(request.tags or [])
    return request


def _check_tagging(request: TagRequest) -> TagRequest:
    check_names([request.component])
    if not request.tags:
        raise ValueError("tags: name at least one tag")
    _check_tags(request.tags)
    return request


def _check_tags(tags: list[str]) -> None:
    if len(tags) > TAG_LIMIT:
        raise ValueError(f"tags: at most {TAG_LIMIT} at once")
    if any(len(tag) > NAME_LENGTH for tag in tags):
        raise ValueError(f"tags: at most {NAME_LENGTH:,} characters each")
    check_names(tags)


@router.get("/components", responses=answers(list[Component]))
def list_components(
    connection: Reading,
    tag: Annotated[Text | None, Query(description="Only those with this tag.")] = None,
    owner: Annotated[Text | None, Query(description="Only those of this owner.")] = None,
    after: After = None,
    limit: Limit = 1000,
) -> list[Component]:
    """List components by name."""
    return components.list_components(connection, tag=tag, owner=owner, after=after, limit=limit)


@router.get(
    "/components/{name:any}/tests", responses={**answers(list[CaseHistory]), **MAY_BE_MISSING}
)
def list_tests(connection: Reading, name: Name, limit: Runs = 20) -> list[CaseHistory]:
    """List what each test of a component found in its newest runs."""
    return outcomes.list_tests(connection, name, limit=limit)


@router.get(
    "/components/{name:any}/profiles", responses={**answers(list[RunProfile]), **MAY_BE_MISSING}
)
def list_profiles(
    connection: Reading,
    name: Name,
    variable: Annotated[Text | None, Query(description="Only those of this variable.")] = None,
    direction: Annotated[
        Literal["input", "output"] | None, Query(description="Only those of this direction.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many distributions.")] = 20,
) -> list[RunProfile]:
    """List how a component's inputs and outputs were distributed, newest run first.

    Its newest 10,000 runs are looked through.
    """
    return distributions.list_profiles(
        connection, name, variable=variable, direction=direction, limit=limit
    )


@router.get(
    "/components/{name:any}/metrics", responses={**answers(list[MetricHistory]), **MAY_BE_MISSING}
)
def list_metrics(
    connection: Reading,
    name: Name,
    metric: Annotated[Text | None, Query(description="Only the metric of this name.")] = None,
    limit: Runs = 20,
) -> list[MetricHistory]:
    """List the metrics of a component's newest runs, each newest first.

    With `metric`, `limit` counts the runs that have it, of the newest 10,000.
    """
    return distributions.list_metrics(connection, name, name=metric, limit=limit)


@router.get("/components/{name:any}", responses={**answers(Component), **MAY_BE_MISSING})
def get_component(connection: Reading, name: Name) -> Component:
    """Answer with one component."""
    return components.get_component(connection, name)


@router.put("/components/{name:any}", responses={**answers(Component), **MAY_BE_FORBIDDEN})
def describe_component(
    connection: Writing,
    name: Annotated[Name, Path(min_length=1, max_length=NAME_LENGTH)],
    request: Annotated[
        ComponentRequest, Body(examples=[exemplify(ComponentRequest)]), AfterValidator(_check_words)
    ],
) -> Component:
    """Say something about a component, which need not have run yet.

    The newest words win, whether a person or a run said them; tags of both are shown.
    """
    return marks.describe_component(connection, name, request)


@router.get("/tags", responses=answers(list[Tag]))
def list_tags(connection: Reading, after: After = None, limit: Limit = 1000) -> list[Tag]:
    """List tags by name."""
    return components.list_tags(connection, after=after, limit=limit)


@router.post("/tags", responses={**answers(Component), **MAY_BE_MISSING, **MAY_BE_FORBIDDEN})
def tag_component(
    connection: Writing,
    request: Annotated[
        TagRequest, Body(examples=[exemplify(TagRequest)]), AfterValidator(_check_tagging)
    ],
) -> Component:
    """Give a component tags besides those it has."""
    return marks.tag_component(connection, request)


@router.get("/tags/{tag:any}", responses={**answers(list[Component]), **MAY_BE_MISSING})
def list_tagged(
    connection: Reading,
    tag: Annotated[Text, Path(description="The tag.", examples=["production"])],
    after: After = None,
    limit: Limit = 1000,
) -> list[Component]:
    """List the components that carry a tag."""
    return components.list_tagged(connection, tag, after=after, limit=limit)
