"""Components, their tags, and what people say of them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Component:
    """A stage of a pipeline.

    Owner and description are the newest words about it, whether a run or a person said them; tags
    are those of the newest run's words and all that people gave it.
    """

    name: str
    owner: str | None
    description: str | None
    tags: list[str]
    run_count: int
    last_run_at: datetime | None


@dataclass(frozen=True, slots=True)
class ComponentRequest:
    """Body of ``PUT /api/components/{name}``: what a person says about a component.

    Attributes:
        owner: who answers for it; None leaves it as it is.
        description: what it does; None leaves it as it is.
        tags: the tags that people give it, instead of those they gave it before; None leaves them.
    """

    owner: str | None = None
    description: str | None = None
    tags: list[str] | None = None


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Body of ``POST /api/tags``: tags that a component gets besides those it has."""

    component: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and how many components carry it."""

    name: str
    component_count: int
