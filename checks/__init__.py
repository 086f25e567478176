"""What `make check` runs beside ruff, mypy and import-linter, and how long measurements are published."""
