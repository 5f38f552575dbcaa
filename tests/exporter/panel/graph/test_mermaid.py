import re

from lineages import make_sketch, make_sketched

from mltrace_exporter.panel.graph.diagram import View, make_diagram
from mltrace_exporter.panel.graph.mermaid import write_mermaid
from mltrace_exporter.queries.sketches import Sketch
from mltrace_otel.contract.api import Execution

HOSTILE = 'a"]-->`x`\nclick n0 <script>alert(1)</script>; %%{init}%% #quot; end ü ☃'


def write(trace: Sketch, view: View | None = None) -> list[str]:
    return write_mermaid(make_diagram(trace, is_upstream=True, view=view)).splitlines()


def test_boxes_and_what_was_read_are_written_from_left_to_right() -> None:
    trace = make_sketch({2: 0, 1: 1}, (2, 1, "raw.csv"))
    assert write(trace)[:4] == [
        "flowchart LR",
        '  n0("step-2<br>run 2")',
        '  n1("step-1<br>run 1")',
        '  n1 -->|"raw.csv"| n0',
    ]


def test_marks_are_told_by_shape_colour_and_word() -> None:
    run = make_sketched(1, "etl", Execution.ERROR, stale=True)
    assert (
        write(make_sketch({1: 0}, runs=[run]))[1]
        == '  n0{{"etl<br>run 1 · failed · stale"}}:::error'
    )


def test_a_group_counts_its_marks() -> None:
    trace = make_sketch(
        {1: 0, 2: 0},
        runs=[make_sketched(1, "etl"), make_sketched(2, "etl", Execution.ABORTED)],
    )
    assert write(trace, View.COMPONENTS)[1] == '  n0[/"etl<br>2 runs · 1 aborted"/]:::aborted'


def test_altered_and_declared_dependencies_are_dashed() -> None:
    trace = make_sketch({3: 0, 2: 1, 1: 1}, (3, 2, "x"), (3, 1, None), changed=(3, 2))
    assert write(trace)[4:6] == [
        '  n1 -.->|"x, content changed outside"| n0',
        "  n2 -.-> n0",
    ]


def test_of_many_names_two_are_written() -> None:
    trace = make_sketch({2: 0, 1: 1}, *((2, 1, f"{number}") for number in range(5)))
    assert write(trace)[3] == '  n1 -->|"0, 1, +3"| n0'


def test_no_name_can_mean_anything_to_mermaid() -> None:
    trace = make_sketch({2: 0, 1: 1}, (2, 1, HOSTILE), runs=[make_sketched(1, HOSTILE)])
    lines = write(trace)
    assert [line.split("(")[0].split("|")[0] for line in lines[1:4]] == ["  n0", "  n1", "  n1 -->"]
    for line in lines[2:4]:
        label = re.fullmatch(r'  n1(?:\("| -->\|")(.*)(?:"\)|"\| n0)', line)
        assert label, line
        assert not re.search(r"[\"`;<>%{}\[\]|]", re.sub(r"#\d+;|<br>", "", label[1]))
