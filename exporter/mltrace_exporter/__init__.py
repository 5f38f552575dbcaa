"""The exporter: receives component runs by OTLP, stores them, and answers questions about them."""
