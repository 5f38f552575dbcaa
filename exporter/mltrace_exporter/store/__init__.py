"""All SQL of the exporter: the schema, its migrations, one writer and the readers."""
