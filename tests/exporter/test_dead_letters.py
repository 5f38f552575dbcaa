"""`mltrace db dead-letters` shows what could not be stored."""

import sqlalchemy as sa
from click.testing import CliRunner

from mltrace_exporter.model import DeadLetter
from mltrace_exporter.store.dead_letters import write_dead_letters
from mltrace_otel.cli.main import mltrace


def test_dead_letters_are_shown_with_their_reasons(engine: sa.Engine, database_url: str) -> None:
    command = ["dead-letters", "--limit", "1", "--database-url", database_url]
    assert CliRunner().invoke(mltrace, ["db", *command]).output == "There are none.\n"
    with engine.begin() as connection:
        for reason in ("It has no id.", "It has no time."):
            write_dead_letters(connection, [DeadLetter(reason, b"abc", "text/plain", "etl")])
    shown = CliRunner().invoke(mltrace, ["db", *command])
    assert shown.exit_code == 0
    assert "3 bytes of etl: It has no time.\n" in shown.output
    assert "There are more: --before 2" in shown.output
