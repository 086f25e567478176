"""Money and identifiers as columns."""

from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Numeric, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from aister.core.money import exact

__all__ = ["Id", "Millis", "Money"]

Id = String(40)
"""A prefix that says what it is of, and 128 random bits."""

Millis = BigInteger
"""UTC milliseconds."""


class Money(TypeDecorator[int]):
    """An int of 1e-8 quote units. NUMERIC(38, 8) where a database has exact decimals; in SQLite, whose NUMERIC turns
    into floating point, the integer itself."""

    impl = Numeric(38, 8)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(38, 8))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | Decimal | None:
        if value is None:
            return None
        if type(value) is not int:
            raise TypeError(f"An amount is an int of 1e-8 quote units, not {type(value).__name__}.")
        return exact(value) if dialect.name == "sqlite" else Decimal(exact(value)).scaleb(-8)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return exact(int(value) if dialect.name == "sqlite" else int(Decimal(value).scaleb(8)))
