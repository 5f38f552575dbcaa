"""How far a database is behind the one that it is a replica of."""

import math

import sqlalchemy as sa

# The primary's own position is told to members of pg_read_all_stats only. Without it, what was
# received counts, which is less as long as the network is behind.
_LAG = sa.text("""
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN pg_last_wal_replay_lsn() >= (
            SELECT coalesce(latest_end_lsn, pg_last_wal_receive_lsn()) FROM pg_stat_wal_receiver
        ) THEN 0
        ELSE coalesce(
            extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 'infinity'
        )
    END
""")


def read_lag_s(connection: sa.Connection) -> float | None:
    """Return how old what a replica shows may be, in seconds; None of what is no replica.

    At most so old: while the primary cannot be reached, nobody knows whether it went on. Infinity
    where nothing was replayed since the replica's start, so that its age cannot be told.

    Source: PostgreSQL documentation, "Recovery Information Functions" and pg_stat_wal_receiver.
    """
    lag_s = connection.scalar(_LAG)
    return None if lag_s is None else max(0.0, float(lag_s))


def describe_lag(lag_s: float) -> str:
    """Return what `read_lag_s` found, as part of a sentence."""
    if math.isinf(lag_s):
        return "how old what it shows is cannot be told"
    return f"what it shows is at most {lag_s:.1f} s old"
