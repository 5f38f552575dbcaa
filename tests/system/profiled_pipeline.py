"""A component whose outputs have profiles: frames that drift, and a number. It runs 12 times."""

import numpy as np
import pandas as pd

from mltrace_otel import Component, flush, log_metric

score = Component("score", owner="arrivals-team", description="Scores customers")


@score.run(output_vars=["scores", "share"])
def give(shift: float) -> tuple[pd.DataFrame, float]:
    values = np.random.default_rng(7).normal(shift, 1.0, 2_000)
    scores = pd.DataFrame(
        {"score": values, "reason": ["low" if each < 0 else "high" for each in values]}
    )
    scores.loc[:100, "score"] = np.nan
    share = float((scores["score"] > 0).mean())
    log_metric("accuracy", 0.9 - shift / 10)
    return scores, share


for number in range(12):
    give(3.0 if number == 11 else number / 100)
flush(30)
