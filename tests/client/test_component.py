# ruff: noqa: RET504 - what is returned must be a local variable first
import functools
from collections.abc import Callable
from typing import Any

import pytest

from mltrace_exporter.model import Run, Words
from mltrace_otel import Component, SetupError, Test, UnknownVariable

Recorded = Callable[[], list[Run]]


class RowsTest(Test):
    def __init__(self) -> None:
        super().__init__(name="rows")

    def testRows(self, rows: list[int]) -> None:  # noqa: N802 - as documented
        self.assertTrue(rows)


def test_a_bare_decorator_records_the_component_and_its_code(recorded: Recorded) -> None:
    component = Component("cleaning", "plumber", "Cleans", tags=["etl", "taxi"])

    @component.run
    def clean(rows: int) -> int:
        return rows + 1

    assert clean(1) == 2

    (run,) = recorded()
    assert run.component == "cleaning"
    assert run.words == Words("plumber", "Cleans", ("etl", "taxi"))
    assert run.execution == "ok"
    assert run.started_at <= run.ended_at
    assert "return rows + 1" in (run.code or "")
    assert (run.code_function or "").endswith("clean")
    assert run.code_file == __file__
    assert run.resource["service.name"]
    assert run.resource["host.name"]


def test_a_called_decorator_records_inputs_outputs_and_options(recorded: Recorded) -> None:
    @Component("training").run(
        input_vars=["source", "extra"],
        output_vars="target",
        staleness_threshold=60,
        partition="day",
    )
    def train(source: str, day: str) -> str:
        extra = ["b.csv", "c.csv"]
        target = source + extra[0] + day
        return target.upper()

    train("a.csv", day="monday")

    (run,) = recorded()
    assert [(io.direction, io.name, io.type) for io in run.io] == [
        ("input", "a.csv", "data"),
        ("input", "b.csv", "data"),
        ("input", "c.csv", "data"),
        ("output", "a.csvb.csvmonday", "unknown"),
    ]
    assert run.staleness_threshold_s == 60
    assert run.partition == "monday"


def test_an_endpoint_has_endpoint_outputs(recorded: Recorded) -> None:
    @Component("inference").run(output_vars=["ids"], endpoint=True)
    def predict() -> list[str]:
        ids = ["id-1", "id-2"]
        return ids

    predict()

    assert {io.type for io in recorded()[0].io} == {"endpoint"}


def test_a_subclass_in_the_style_of_the_reference_works(recorded: Recorded) -> None:
    class Featuregen(Component):
        def __init__(self, beforeTests: Any = (), afterTests: Any = (RowsTest,)) -> None:  # noqa: N803
            super().__init__(
                name="featuregen",
                owner="spark-gymnast",
                description="Generates features",
                tags=["nyc-taxicab"],
                beforeTests=beforeTests,
                afterTests=afterTests,
            )

    @Featuregen().run
    def generate() -> int:
        rows = [1]
        return len(rows)

    generate()

    (run,) = recorded()
    assert run.words == Words("spark-gymnast", "Generates features", ("nyc-taxicab",))
    assert [(test.suite, test.case, test.phase, test.status) for test in run.tests] == [
        ("rows", "testRows", "after", "pass")
    ]


def test_skipped_tests_do_not_run(recorded: Recorded) -> None:
    component = Component("c", beforeTests=[RowsTest], afterTests=[RowsTest()])

    @component.run(skip_before=True, skip_after=True)
    def work(rows: list[int]) -> int:
        return len(rows)

    work([])

    assert recorded()[0].tests == ()


def test_a_decorated_function_keeps_its_name_and_documentation() -> None:
    @Component("c").run
    def work(x: int) -> int:
        """Work hard."""
        return x

    assert work.__name__ == "work"
    assert work.__doc__ == "Work hard."
    assert work.__annotations__ == {"x": int, "return": int}
    assert callable(work.__wrapped__)  # type: ignore[attr-defined] # functools.wraps sets it


@pytest.mark.parametrize("option", ["input_vars", "output_vars", "partition"])
def test_an_unknown_variable_is_an_error_at_decoration(option: str) -> None:
    def work(source: str) -> str:
        target = source
        return target

    with pytest.raises(UnknownVariable, match=rf"{option} names 'targit'.*mean target\?"):
        Component("c").run(**{option: "targit"})(work)  # type: ignore[call-overload] # any option


def test_an_unknown_test_argument_is_an_error_at_decoration() -> None:
    def work(row: list[int]) -> int:
        rows = row
        return len(rows)

    Component("c", afterTests=[RowsTest]).run(work)
    with pytest.raises(UnknownVariable, match=r"rows\.testRows names 'rows'.*mean row\?"):
        Component("c", beforeTests=[RowsTest]).run(work)


def test_what_is_no_test_is_refused() -> None:
    class Needy(Test):
        def __init__(self, threshold: int) -> None:
            super().__init__("needy")
            self.threshold = threshold

    with pytest.raises(SetupError, match="is no test"):
        Component("c", beforeTests=[int])  # type: ignore[list-item] # the mistake
    with pytest.raises(SetupError, match=r"Needy cannot be made .*: give an instance"):
        Component("c", afterTests=[Needy])
    assert Component("c", afterTests=[Needy(3)]).afterTests


def test_a_decorator_above_staticmethod_or_classmethod_is_refused() -> None:
    def nothing(*_: object) -> None:
        """Do nothing."""

    kinds: list[Callable[[Any], Any]] = [staticmethod, classmethod]
    for kind in kinds:
        with pytest.raises(SetupError, match=f"below @{kind.__name__}"):
            Component("c").run(kind(nothing))


def test_variables_of_a_wrapped_function_are_those_of_the_innermost(recorded: Recorded) -> None:
    def shout(function: Callable[..., str]) -> Callable[..., str]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> str:
            return function(*args, **kwargs).upper()

        return wrapper

    @Component("c").run(input_vars=["x"], output_vars=["y"])
    @shout
    def work(x: str) -> str:
        y = x + "-done"
        return y

    assert work("in") == "IN-DONE"
    assert [io.name for io in recorded()[0].io] == ["in", "in-done"]


def test_labels_of_inputs_end_up_on_their_pointers(recorded: Recorded) -> None:
    @Component("training").run(
        input_vars={"source": "customer", "extra": ["raw", "kinds"], "config": None}
    )
    def train(source: str, customer: str, config: str) -> str:
        kinds = ["a", "b"]
        extra = source + kinds[0] + config + customer
        return extra

    train("s.csv", "acme", "c.yaml")

    labels = {io.name: io.labels for io in recorded()[0].io}
    assert labels == {
        "s.csv": ("acme",),
        "s.csvac.yamlacme": ("raw", "a", "b"),
        "c.yaml": (),
    }


def test_renamed_test_arguments_are_read_from_other_variables(recorded: Recorded) -> None:
    @Component("c", beforeTests=[RowsTest], afterTests=[RowsTest]).run(rows="raw")
    def clean(raw: list[int]) -> list[int]:
        raw = raw[:0]
        return raw

    clean([1, 2])

    assert [test.status for test in recorded()[0].tests] == ["pass", "fail"]


def test_a_wrong_rename_is_an_error_at_decoration() -> None:
    def clean(raw: list[int]) -> list[int]:
        clean_rows = raw
        return clean_rows

    component = Component("c", afterTests=[RowsTest])
    component.run(rows="clean_rows")(clean)
    with pytest.raises(SetupError, match=r"run has no option 'row'.*mean rows\?"):
        component.run(row="raw")(clean)
    with pytest.raises(UnknownVariable, match=r"names 'clean_row'.*mean clean_rows\?"):
        component.run(rows="clean_row")(clean)
    with pytest.raises(UnknownVariable, match="names 'clean_rows'"):
        Component("c", beforeTests=[RowsTest]).run(rows="clean_rows")(clean)
    with pytest.raises(SetupError, match=r"no option 'outputs', and no test such an argument\.$"):
        Component("c").run(outputs="raw")(clean)


def test_tests_that_were_added_later_run_too(recorded: Recorded) -> None:
    component = Component("c")
    component.afterTests.append(RowsTest)  # type: ignore[arg-type] # a class will do

    @component.run
    def work() -> int:
        rows: list[int] = []
        return len(rows)

    work()

    assert [test.status for test in recorded()[0].tests] == ["fail"]
