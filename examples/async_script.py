"""A service that answers several customers at once: coroutines, an async generator, nested runs.

In: nothing; the customers come from a generator. Out: an answer's id for each customer, and ten
component runs. Runs of `look_up` and `score` are children of the run of `answer` they belong to.
"""

import asyncio
from collections.abc import AsyncIterator

from mltrace_otel import Component, Test

CUSTOMERS = {"ada": [3.0, 5.0], "grace": [8.0], "linus": [1.0, 2.0, 3.0]}


class ScoreTest(Test):
    """What every score must be."""

    def test_it_is_no_less_than_zero(self, score: float) -> None:
        """Nobody has bought for less than nothing."""
        self.assertGreaterEqual(score, 0)


intake = Component("intake", owner="shop", description="Hands over the customers who ask.")
lookup = Component("look_up", owner="shop", description="Finds what a customer has bought.")
scoring = Component("score", owner="models", afterTests=[ScoreTest])
answering = Component("answer", owner="shop", tags=["live"])


@intake.run(output_vars=["customers"])
async def take_in() -> AsyncIterator[str]:
    """Yield one customer after the other; the run ends after the last of them."""
    customers = list(CUSTOMERS)
    for customer in customers:
        await asyncio.sleep(0)
        yield customer


@lookup.run(input_vars=["customer"], output_vars=["purchases"], partition="customer")
async def look_up(customer: str) -> str:
    """Find the purchases of a customer."""
    await asyncio.sleep(0.01)
    purchases = f"purchases/{customer}"
    return purchases


@scoring.run(input_vars=["purchases"], output_vars=["answer"], partition="customer", endpoint=True)
async def rate(purchases: str, customer: str, answer: str) -> float:
    """Score a customer; `answer` is the id that a complaint would name."""
    await asyncio.sleep(0.01)
    score = sum(CUSTOMERS[customer]) / len(CUSTOMERS[customer])
    print(f"{answer}: {score:.1f} from {purchases}")
    return score


@answering.run(input_vars=["customer"], partition="customer")
async def reply(customer: str) -> float:
    """Answer one customer."""
    return await rate(await look_up(customer), customer, f"answers/{customer}")


async def main() -> None:
    """Answer everybody at once."""
    customers = [customer async for customer in take_in()]
    await asyncio.gather(*(reply(customer) for customer in customers))
    print("Ask: mltrace trace answers/ada")


asyncio.run(main())
