"""Programs in the manner of mltrace's documentation, each run as a program beside a real server.

What people wrote for mltrace has to run after its import line was changed. These programs take each
form of call that its documentation shows; then the server is asked what they left.
"""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from services import Exporter, await_value


@dataclass(frozen=True)
class Server:
    """A server, and a folder in which programs run beside it."""

    exporter: Exporter
    folder: Path

    def run(self, program: str, **variables: str) -> str:
        """Run a program, which must succeed quietly; return what it printed."""
        (self.folder / "program.py").write_text(textwrap.dedent(program))
        done = self._start([sys.executable, "program.py"], variables)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def answer(self, program: str, **variables: str) -> Any:
        """Run a program and return what it prints, read as JSON."""
        return json.loads(self.run(program, **variables))

    def command(self, *arguments: str) -> str:
        """Run a command of `mltrace` and return what it printed."""
        done = self._start([str(Path(sys.executable).with_name("mltrace")), *arguments], {})
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def ask(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.exporter.panel}/api/{path}", params=parameters)
        return answer.json() if answer.is_success else None

    def newest(self, component: str) -> Any:
        """Return a component's newest run in full, as soon as the server has one."""
        page = await_value(
            lambda: self.ask("runs", component=component, limit="1"), f"a run of {component}"
        )
        return self.ask(f"runs/{page['items'][0]['id']}")

    def _start(
        self, command: list[str], variables: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - programs of the environment
            command,
            cwd=self.folder,
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.exporter.otlp_http,
                "MLTRACE_ADDRESS": self.exporter.panel,
                "MLTRACE_HOME": str(self.folder / "home"),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    with Exporter(tmp_path_factory.mktemp("server")) as exporter:
        yield exporter


@pytest.fixture
def server(exporter: Exporter, tmp_path: Path) -> Server:
    (tmp_path / "rides.csv").write_text("fare,tip\n5.0,1.0\n6.0,2.0\n-1.0,0.0\n")
    return Server(exporter, tmp_path)


@pytest.fixture(scope="module")
def story(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server with two runs that depend on each other, for those who ask questions."""
    server = Server(exporter, tmp_path_factory.mktemp("story"))
    server.run("""
        from mltrace_otel import Component

        first = Component("story_first", "ada", "Begins.", tags=["story"])
        second = Component("story_second", "grace", "Ends.", tags=["story"])

        @first.run(input_vars=["source"], output_vars=["middle"])
        def begin(source):
            middle = "story/middle.csv"
            return middle

        @second.run(input_vars=["middle"], output_vars=["ids"])
        def end(middle):
            ids = ["story-1", "story-2"]
            return ids

        end(begin("story/source.csv"))
    """)
    server.newest("story_second")
    return server


def name_all(pointers: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in pointers]


def list_outcomes(run: Any) -> list[tuple[str, str, str, str]]:
    return [
        (each["suite"], each["case"], each["phase"], each["status"])
        for each in run["test_outcomes"]
    ]


def test_a_component_with_tests_before_it_and_auto_log(server: Server) -> None:
    """Arguments are looked at before the function; what a test raises stops nothing."""
    server.run("""
        import pandas as pd
        from mltrace_otel import Component, Test

        class FareTest(Test):
            def __init__(self):
                super().__init__(name='fares')

            def testShow(self, df: pd.DataFrame):
                print(df.describe())

            def testSigns(self, df: pd.DataFrame, tolerated: float = 0.0):
                bad = (df["fare"] < 0).sum()
                if bad > tolerated * len(df):
                    raise Exception("Some fares are negative!")

        c = Component(
            name="documented_auto",
            owner="plumber",
            description="Cleans rides",
            beforeTests=[FareTest],
        )

        @c.run(auto_log=True)
        def clean_rides(df: pd.DataFrame) -> pd.DataFrame:
            clean_df = df[df["fare"] >= 0]
            return clean_df

        assert len(clean_rides(pd.read_csv("rides.csv"))) == 2
    """)

    run = server.newest("documented_auto")
    assert run["summary"]["owner"] == "plumber"
    assert list_outcomes(run) == [
        ("fares", "testShow", "before", "pass"),
        ("fares", "testSigns", "before", "fail"),
    ]
    assert run["test_outcomes"][1]["message"] == "Exception: Some fares are negative!"
    assert len(run["inputs"]) == 1
    assert len(run["outputs"]) >= 1
    assert run["code"].startswith("@c.run(auto_log=True)")


def test_a_subclass_used_without_parentheses_and_tests_of_local_variables(server: Server) -> None:
    server.run("""
        from mltrace_otel import Component, Test

        class RowsTest(Test):
            def __init__(self):
                super().__init__(name="rows")

            def testCount(self, features):
                self.assertEqual(len(features), 2)

        class Featuregen(Component):
            def __init__(self, beforeTests=[], afterTests=[RowsTest]):
                super().__init__(
                    name="documented_featuregen",
                    owner="gymnast",
                    description="Makes features",
                    tags=["documented"],
                    beforeTests=beforeTests,
                    afterTests=afterTests,
                )

        @Featuregen().run
        def make_features(rides):
            features = [ride * 2 for ride in rides]
            return sum(features)

        assert make_features([1, 2]) == 6
    """)

    run = server.newest("documented_featuregen")
    assert list_outcomes(run) == [("rows", "testCount", "after", "pass")]
    assert run["summary"]["tags"] == ["documented"]
    assert name_all(server.ask("tags/documented")) == ["documented_featuregen"]


def test_inputs_and_outputs_named_by_variables(server: Server) -> None:
    """Dependencies follow from what the variables hold at return; lists name many outputs."""
    server.run("""
        import pandas as pd
        from mltrace_otel import Component, create_random_ids

        @Component(name="documented_etl", owner="plumber").run(
            input_vars=["filename"], output_vars=["clean_version"]
        )
        def clean_data(filename: str) -> str:
            df = pd.read_csv(filename)
            clean_version = filename[:-4] + "_clean.csv"
            df[df["fare"] > 0].to_csv(clean_version)
            return clean_version

        @Component(name="documented_inference", owner="sre").run(
            input_vars=["filename"], output_vars=["identifiers"], endpoint=True,
            staleness_threshold=60 * 60 * 24,
        )
        def predict(filename: str) -> list:
            identifiers = create_random_ids(len(pd.read_csv(filename)))
            return identifiers

        print(predict(clean_data("rides.csv"))[-1])
    """)

    run = server.newest("documented_inference")
    assert name_all(run["inputs"]) == ["rides_clean.csv"]
    assert [each["type"] for each in run["outputs"]] == ["endpoint", "endpoint"]
    assert [each["component"] for each in run["dependencies"]] == ["documented_etl"]
    assert run["staleness_threshold_s"] == 86_400


def test_a_run_built_by_hand(server: Server) -> None:
    server.run("""
        from datetime import datetime, timezone
        from mltrace_otel import ComponentRun
        from mltrace_otel import get_git_hash, log_component_run

        def clean_data(filename: str) -> str:
            cr = ComponentRun("documented_by_hand")
            cr.set_start_timestamp()
            cr.add_input(filename)
            cr.git_hash = get_git_hash()
            cr.notes = "written by hand"
            clean_version = filename[:-4] + datetime.now(timezone.utc).strftime("_%m%d%Y.csv")
            cr.set_end_timestamp()
            cr.add_output(clean_version)
            log_component_run(cr)
            return clean_version

        clean_data("rides.csv")

        late = ComponentRun("documented_upstream")
        late.set_start_timestamp()
        late.add_inputs(["rides.csv"])
        late.add_outputs(["a-1", "a-2"])
        late.set_upstream("documented_by_hand")
        late.set_end_timestamp()
        log_component_run(late, set_dependencies_from_inputs=False, staleness_threshold=3600)
    """)

    by_hand = server.newest("documented_by_hand")
    assert name_all(by_hand["inputs"]) == ["rides.csv"]
    assert by_hand["notes"] == "written by hand"
    run = server.newest("documented_upstream")
    assert name_all(run["outputs"]) == ["a-1", "a-2"]
    assert [each["component"] for each in run["dependencies"]] == ["documented_by_hand"]


def test_the_commit_and_its_tags(server: Server) -> None:
    for arguments in (
        ["init", "--quiet"],
        ["add", "rides.csv"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "data"],
        ["tag", "first-features"],
    ):
        subprocess.run(["git", *arguments], cwd=server.folder, check=True)  # noqa: S603, S607
    head = (server.folder / ".git").joinpath("refs/heads").iterdir()
    commit = next(head).read_text().strip()

    answer = server.answer("""
        import json
        from mltrace_otel import Component, get_git_hash, get_git_tags

        @Component("documented_git").run
        def nothing():
            pass

        nothing()
        print(json.dumps([get_git_hash(), get_git_tags()]))
    """)

    assert answer == [commit, ["first-features"]]
    summary = server.newest("documented_git")["summary"]
    assert (summary["git_hash"], summary["git_tags"]) == (commit, ["first-features"])


def test_triggers_see_the_run_and_the_variables(server: Server) -> None:
    printed = server.run("""
        from mltrace_otel import Component

        class Announced(Component):
            def beforeRun(self, run, variables):
                print("before", run.component_name, sorted(variables))

            def afterRun(self, run, variables):
                print("after", [out.name for out in run.outputs], variables["doubled"])

        @Announced("documented_triggers").run(output_vars=["name"])
        def double(number):
            doubled = number * 2
            name = f"double-{doubled}"
            return doubled

        double(4)
    """)

    assert printed == "before documented_triggers ['number']\nafter ['double-8'] 8\n"
    assert name_all(server.newest("documented_triggers")["outputs"]) == ["double-8"]


def test_register_with_names_variables_and_keyed_values(server: Server) -> None:
    server.run("""
        from mltrace_otel import create_component, register

        create_component("documented_registered", "Registers", "ada", tags=["documented"])

        @register(
            component_name="documented_registered",
            inputs=["rides.csv"],
            output_vars=["model_name"],
            input_kwargs={"key": "value"},
            endpoint=False,
        )
        def train(key, value):
            model_name = "rides.joblib"
            return model_name

        train("rate", 0.5)
    """)

    run = server.newest("documented_registered")
    assert set(name_all(run["inputs"])) == {"rides.csv", "rate"}
    assert name_all(run["outputs"]) == ["rides.joblib"]


def test_renamed_and_skipped_tests(server: Server) -> None:
    server.run("""
        from mltrace_otel import Component, Test

        class SizeTest(Test):
            def testSize(self, df):
                self.assertGreater(len(df), 0)

        c = Component("documented_rename", beforeTests=[SizeTest], afterTests=[SizeTest])

        @c.run(df="rides", skip_after=True)
        def count(rides):
            return len(rides)

        count([1])
    """)

    run = server.newest("documented_rename")
    assert list_outcomes(run) == [("SizeTest", "testSize", "before", "pass")]


def test_load_and_save_inside_a_run_make_lineage(server: Server) -> None:
    """What one run has saved another loads, in a process of its own."""
    folder = str(server.folder / "saved")
    address = server.run(
        """
        import pandas as pd
        from mltrace_otel import Component, save

        @Component("documented_saver").run
        def keep():
            return save(pd.DataFrame({"fare": [1.0]}))

        print(keep(), end="")
        """,
        SAVE_DIR=folder,
    )
    assert folder in address

    server.run(f"""
        from mltrace_otel import Component, load

        @Component("documented_loader").run
        def read(address):
            return load(address)

        assert read({address!r})["fare"].tolist() == [1.0]
    """)

    run = server.newest("documented_loader")
    assert [each["component"] for each in run["dependencies"]] == ["documented_saver"]


def test_history_of_a_component(story: Server) -> None:
    answer = story.answer("""
        import json
        from datetime import datetime, timedelta, timezone
        from mltrace_otel import Component

        history = Component("story_first").history
        now = datetime.now(timezone.utc)
        print(json.dumps([
            len(history),
            history[0].component_name,
            history[-1].component_name,
            len(history[0:1]),
            len(history.get_runs_by_time(now - timedelta(days=1), now)),
        ]))
    """)

    assert answer == [1, "story_first", "story_first", 1, 1]


QUESTIONS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "backtrace": (
        'backtrace("story-1")',
        lambda text: text.index("story_second") < text.index("story_first"),
    ),
    "web_trace": ('web_trace("story-1")', lambda text: "story_first" in text),
    "get_history": ('get_history("story_first")', lambda text: "story_first" in text),
    "get_component_information": (
        'get_component_information("story_first")',
        lambda text: "Begins." in text,
    ),
    "get_component_run_information": (
        "get_component_run_information(get_recent_run_ids()[0])",
        lambda text: "story" in text or "documented" in text,
    ),
    "get_components": ("get_components()", lambda text: "story_second" in text),
    "get_components_with_owner": (
        'get_components_with_owner("ada")',
        lambda text: "story_first" in text and "story_second" not in text,
    ),
    "get_components_with_tag": (
        'get_components_with_tag("story")',
        lambda text: "story_first" in text and "story_second" in text,
    ),
    "get_recent_run_ids": ("get_recent_run_ids(limit=2)", lambda text: text.count(",") == 1),
    "get_io_pointer": ('get_io_pointer("story-1")', lambda text: "story-1" in text),
    "get_tags": ("get_tags()", lambda text: "story" in text),
}


def test_every_documented_question_has_a_readable_answer(story: Server) -> None:
    calls = {name: call for name, (call, _) in QUESTIONS.items()}
    answers = story.answer(f"""
        import json
        from mltrace_otel import *

        print(json.dumps({{name: repr(eval(call)) for name, call in {calls!r}.items()}}))
    """)

    wrong = {
        name: answers[name]
        for name, (_, is_right) in QUESTIONS.items()
        if not is_right(answers[name])
    }
    assert wrong == {}


def test_flags_notes_and_review(story: Server) -> None:
    answer = story.answer("""
        import json
        from mltrace_otel import (
            add_notes_to_component_run, flag_output_id, get_component_run_information, get_history,
            review_flagged_outputs, unflag_all, unflag_output_id,
        )

        flag_output_id("story-1")
        flag_output_id("story-2")
        flagged = [(run.component_name, count) for run, count in review_flagged_outputs()]
        unflag_output_id("story-1")
        unflag_all()
        number = get_history("story_second")[0].id
        add_notes_to_component_run(number, "looked at")
        notes = get_component_run_information(number).notes
        print(json.dumps([flagged, len(review_flagged_outputs()), notes]))
    """)

    assert answer == [[["story_first", 2], ["story_second", 2]], 0, "looked at"]


def test_the_documented_commands(story: Server) -> None:
    assert "story_second" in story.command("recent", "--limit", "1000")
    assert "story_first" in story.command("history", "story_first")
    assert "story_first" in story.command("trace", "story-2")
    assert "story-2" in story.command("flag", "story-2")
    assert "story_first" in story.command("review")
    assert "story-2" in story.command("unflag", "story-2")


def test_cleaning_the_database_asks_first(tmp_path: Path) -> None:
    with Exporter(tmp_path / "server") as exporter:
        server = Server(exporter, tmp_path)
        server.run("""
            from mltrace_otel import Component, clean_db, flush, get_recent_run_ids

            @Component("documented_gone").run
            def nothing():
                pass

            nothing()
            assert flush()
            try:
                clean_db()
            except Exception as refusal:
                assert "confirm" in str(refusal), refusal
            else:
                raise AssertionError("it did not ask")
            assert len(get_recent_run_ids()) == 1, "nothing was deleted"
            clean_db("delete all data")
            assert len(get_recent_run_ids()) == 0
        """)
