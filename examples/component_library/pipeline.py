"""A pipeline of components from the library beside it.

In: a few orders. Out: a report as a file, and two component runs with the library's tests.
"""

from pathlib import Path

import pandas as pd
from tabular import Cleaning, Report

orders = Cleaning("orders", owner="shop", columns=["customer", "amount"])


@orders.run(auto_log=True)
def clean_orders(df: pd.DataFrame) -> pd.DataFrame:
    """Leave out what was ordered twice by mistake."""
    df = df.drop_duplicates()
    return df


@Report(owner="shop").run(input_vars=["df"], output_vars=["report"])
def write_report(df: pd.DataFrame) -> str:
    """Write what each customer has paid."""
    report = "report.csv"
    df.groupby("customer")["amount"].sum().to_csv(report)
    return report


bought = pd.DataFrame(
    {
        "customer": ["ada", "ada", "grace", "linus", "grace", "margaret", "linus", "ken"],
        "amount": [3.0, 3.0, 8.0, 1.0, 2.5, 12.0, 4.0, 7.5],
    }
)
path = Path(write_report(clean_orders(bought)))
print(f"{path} has {len(path.read_text().splitlines())} lines. Ask: mltrace trace {path}")
