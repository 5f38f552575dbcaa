"""What a program that records runs does not have to load."""

from pathlib import Path

from receiving import Receiver, run_program

HEAVY = (
    *("fsspec", "grpc", "joblib", "mltrace_otel.questions.api_client", "mltrace_otel.contract.api"),
    *("numpy", "pandas", "polars", "pyarrow", "requests", "sklearn", "torch"),
)


def test_recording_loads_no_library_that_the_program_does_not_use(
    receiver: Receiver, tmp_path: Path
) -> None:
    ended = run_program(
        tmp_path,
        f"""
        import sys
        from mltrace_otel import Component, ComponentRun, Test, flush, log_component_run, register

        class Rows(Test):
            def testRows(self, x):
                self.assertTrue(x)

        @Component("c", beforeTests=[Rows]).run(input_vars=["x"], output_vars=["y"], auto_log=True)
        def work(x):
            y = x + "-out.csv"
            return y

        work("in.csv")
        assert flush(10)
        print([name for name in {HEAVY!r} if name in sys.modules])
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
    )

    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_importing_the_package_alone_loads_nothing_of_it(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import sys
        import mltrace_otel
        print([name for name in sys.modules if "mltrace" in name or "opentelemetry" in name])
        """,
    )

    assert ended.stdout == "['mltrace_otel']\n"


def test_all_public_names_are_there() -> None:
    import mltrace_otel  # noqa: PLC0415 - what is tried

    missing = [name for name in mltrace_otel.__all__ if not hasattr(mltrace_otel, name)]
    assert missing == []
    assert sorted(mltrace_otel.__all__) == dir(mltrace_otel)
    documented = (
        "Component ComponentRun IOPointer Test register set_address log_component_run "
        "get_git_hash get_git_tags create_component tag_component create_random_ids load "
        "save backtrace web_trace get_history get_component_information "
        "get_component_run_information get_components get_components_with_owner "
        "get_components_with_tag get_recent_run_ids get_io_pointer get_tags "
        "add_notes_to_component_run flag_output_id unflag_output_id unflag_all "
        "review_flagged_outputs clean_db configure "
    )
    assert set(documented.split()) <= set(mltrace_otel.__all__)
