"""What a user asks, answered in the shapes of `mltrace_otel.contract.api`. Nothing here writes."""
