"""The ledger: a workspace's tables in one DuckDB file, written whole or not at all."""
