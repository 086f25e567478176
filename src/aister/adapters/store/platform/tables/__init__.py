"""All tables of the platform, on one MetaData. A noun's tables are in the file of its name; `everything` imports them
all, so that migrations and tests see the whole schema."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import MetaData

__all__ = ["METADATA", "everything"]

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def everything() -> MetaData:
    """The MetaData with every table on it."""
    for found in iter_modules(__path__):
        import_module(f"{__name__}.{found.name}")
    return METADATA
