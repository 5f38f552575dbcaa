from markupsafe import Markup

from mltrace_exporter.panel.codediff import compare_code


def strip(code: Markup) -> str:
    return code.striptags()


def test_lines_that_differ_are_shown_with_those_around_them() -> None:
    before = "\n".join(f"line_{number} = {number}" for number in range(20))
    after = before.replace("line_10 = 10", "line_10 = 11")
    lines = [
        (line.mark, line.number, strip(line.code)) for line in compare_code(before, after, None)
    ]
    assert lines == [
        ("…", None, ""),
        *((" ", number + 1, f"line_{number} = {number}") for number in (7, 8, 9)),
        ("-", 11, "line_10 = 10"),
        ("+", 11, "line_10 = 11"),
        *((" ", number + 1, f"line_{number} = {number}") for number in (11, 12, 13)),
    ]


def test_the_same_code_has_no_difference() -> None:
    assert compare_code("a = 1\n", "a = 1\n", "train.py") == []


def test_a_text_over_several_lines_is_coloured_line_by_line() -> None:
    lines = compare_code('"""a\nb"""\n', '"""a\nc"""\n', "train.py")
    assert [strip(line.code) for line in lines] == ['"""a', 'b"""', 'c"""']
    assert all(line.code.count("<span") == line.code.count("</span>") for line in lines)


def test_odd_line_ends_and_hostile_code_are_borne() -> None:
    lines = compare_code("a\r\nb\x0cc\n", "a\r\n</pre><script>\x0cd\n", "x.py")
    assert all("<script" not in line.code for line in lines)
    assert [line.mark for line in lines].count("+") == 2
