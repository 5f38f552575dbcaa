"""The page about the views that dashboards read."""

from mltrace_exporter.store.views import READER, SCHEMA, VIEWS, View

_SQL_VIEWS = f"""\
# SQL views

<!-- Written by docs/generate.py from mltrace_exporter/store/views.py: change it there. -->

Dashboards read from the schema `{SCHEMA}` of the exporter's PostgreSQL and from nothing else: the
tables behind it change between versions, the views do not lose columns. What each column means is
also a comment in the database: `\\d+ {SCHEMA}.recent_runs`.

The role `{READER}` may read the schema and nothing else. It cannot log in; give it to a user that
can:

```sql
CREATE ROLE grafana LOGIN PASSWORD '...' IN ROLE {READER};
ALTER ROLE grafana SET statement_timeout = '30s';
```

The exporter makes the role if its own user may create roles. If not, an administrator makes it once
with `CREATE ROLE {READER} NOLOGIN`; the exporter grants it the rest at its next start. The schema
is dropped and made anew when a new version needs it, together with whatever else was put there and
granted on it.

Each view answers quickly over millions of runs if it is asked for a time range or, newest first,
for a limited number of rows.
"""


def render_sql_views() -> str:
    """Return the page about the views that dashboards read."""
    return "\n".join([_SQL_VIEWS, *(_render_view(view) for view in VIEWS)])


def _render_view(view: View) -> str:
    arguments = ", ".join(f"{name} {type_}" for name, type_ in view.parameters.items())
    title = f"{view.name}({arguments})" if arguments else view.name
    rows = [f"| `{column}` | {meaning} |" for column, meaning in view.columns.items()]
    lines = [
        f"## {title}",
        "",
        view.meaning,
        "",
        "| column | meaning |",
        "| --- | --- |",
        *rows,
        "",
    ]
    return "\n".join(lines)
