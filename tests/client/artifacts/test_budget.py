from pathlib import Path

from mltrace_otel.artifacts.budget import Budget


def test_what_lies_there_and_what_is_added_count(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(bytes(600))
    budget = Budget()
    folder = str(tmp_path)

    assert budget.admits(folder, 400, 1000)
    assert not budget.admits(folder, 401, 1000)

    budget.add(folder, 300)

    assert budget.admits(folder, 100, 1000)
    assert not budget.admits(folder, 101, 1000)


def test_a_folder_is_not_counted_each_time(tmp_path: Path) -> None:
    budget = Budget()
    assert budget.admits(str(tmp_path), 1, 1000)

    (tmp_path / "by another program").write_bytes(bytes(2000))

    assert budget.admits(str(tmp_path), 1, 1000)


def test_a_folder_is_counted_again_after_a_while(tmp_path: Path) -> None:
    budget = Budget(shortest_s=0, cost=0)
    (tmp_path / "file").write_bytes(bytes(2000))
    assert not budget.admits(str(tmp_path), 1, 1000)

    (tmp_path / "file").unlink()

    assert budget.admits(str(tmp_path), 1, 1000)


def test_folders_have_budgets_of_their_own(tmp_path: Path) -> None:
    budget = Budget()
    assert budget.admits(str(tmp_path / "a"), 1, 10)

    budget.add(str(tmp_path / "a"), 10)

    assert not budget.admits(str(tmp_path / "a"), 1, 10)
    assert budget.admits(str(tmp_path / "b"), 1, 10)
