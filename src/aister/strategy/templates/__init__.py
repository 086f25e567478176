"""The packaged strategies: one spec a file, named like it. They show what a spec can say; none claims to earn."""

from functools import cache
from importlib.resources import files

from aister.core.errors import UsageError
from aister.strategy.spec.spec import read_spec
from aister.strategy.spec.tree import Spec

__all__ = ["template", "template_names", "template_text"]


@cache
def template_names() -> tuple[str, ...]:
    """In the order of the alphabet."""
    found = (entry.name for entry in files(__name__).iterdir() if entry.name.endswith(".json"))
    return tuple(sorted(name.removesuffix(".json") for name in found))


def template_text(name: str) -> str:
    """The file as it is packaged. Raises `UsageError` for a name there is none of."""
    if name not in template_names():
        raise UsageError(f"There is no template {name!r}; choose one of {', '.join(template_names())}.")
    return (files(__name__) / f"{name}.json").read_text(encoding="utf-8")


@cache
def template(name: str) -> Spec:
    """The template, read and checked."""
    return read_spec(template_text(name), f"Template {name}")
