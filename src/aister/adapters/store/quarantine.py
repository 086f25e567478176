"""Rows an import kept out: where they stood, why, and what they said."""

import msgspec
import pyarrow as pa

__all__ = ["Kept", "quarantine_table"]


class Kept(msgspec.Struct, frozen=True):
    """One row kept out: its line (CSV) or row (Parquet), the defect, its cells."""

    row: int
    reason: str
    text: str


def quarantine_table(rows: list[Kept]) -> pa.Table:
    return pa.table(
        {
            "row": pa.array([kept.row for kept in rows], pa.int64()),
            "reason": pa.array([kept.reason for kept in rows], pa.string()),
            "text": pa.array([kept.text for kept in rows], pa.string()),
        }
    )
