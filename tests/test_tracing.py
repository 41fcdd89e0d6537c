"""Cells drawn at random from the committed tables, followed back to the record of their run and to its weights."""

import csv
import hashlib
import json
import random
import re
import shutil
import statistics
from pathlib import Path

import pytest

from poselib import records
from poselib.experiments import load_experiments, load_parameters, load_tables
from poselib.protocols import H36M_ACTIONS

ROOT = Path(__file__).resolve().parent.parent
# The results that are committed, by the README.
RESULTS = [ROOT / found for found in re.findall(r"<!-- scoreboard of (\S+) -->", (ROOT / "README.md").read_text())]
DERIVED = ("params", "flops", "improvement")
DRAWN = 20


def cells(results):
    """Every measured number that names the experiment behind it: table, row, column."""
    tables = load_tables(ROOT)
    for path in sorted(results.glob("*/*.csv")):
        # A notebook may write several tables, as 'table01.p_mpjpe.csv'.
        if f"{path.parent.name}/{path.name.split('.')[0]}" not in tables:
            continue
        with path.open() as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if row.get("experiment") and row.get("status") == "measured":
                yield from ((path, row, column) for column in measured_columns(row) if row[column])


def measured_columns(row):
    if row.get("kind") == "measured":
        names = list(row)
        return names[names.index("kind") + 1 : names.index("Avg") + 1] if "Avg" in names else []
    # Counted on the model, or worked out from two runs: no record holds them.
    names = [name for name in row if name.endswith(" measured") and not name.startswith(DERIVED)]
    return [name for name in names if re.fullmatch(r"[\d.]*", row[name])]


def draw(results):
    """The same cells as long as the tables are the same, others when they change."""
    found = list(cells(results))
    content = hashlib.sha256(b"".join(path.read_bytes() for path in sorted({path for path, *_ in found})))
    return random.Random(content.hexdigest()).sample(found, min(DRAWN, len(found)))


def record_of(results, row):
    return json.loads((results / "metrics" / f"{row['experiment']}.json").read_text())


def from_record(results, path, row, column):
    """What the record says of a cell: one number for each of its metrics that the column's name admits."""
    table, record = f"{path.parent.name}/{path.name.split('.')[0]}", record_of(results, row)
    for view in views(table, row, record):
        if path.name.endswith(".key_frames.csv"):
            view = view.removesuffix(".bilinear") + ".key_frames"
        summaries = [within(seed, view) for seed in record["seeds"]]
        for metric in admitted(column, summaries[0]["action_mean"]):
            mean = statistics.fmean(summary["action_mean"][metric] for summary in summaries)
            if column == "Avg" or row.get("kind") != "measured":
                yield mean
            elif printed_as(mean, row, "Avg"):
                by_action = [summary["per_action"][metric] for summary in summaries]
                for action in actions_of(row, column, by_action[0]):
                    yield statistics.fmean(means[action] for means in by_action)


def printed_as(value, row, column):
    """Whether a cell is this value, rounded as tables are: errors by action to 0.1, single ones to 0.01."""
    return abs(value - float(row[column])) <= (0.05 if row.get("kind") == "measured" else 0.005) + 1e-6


def views(table, row, record):
    """Where in the record the row's errors stand, by the entry of experiments/ that has the row's keys."""
    entries = [entry for entry in load_tables(ROOT)[table] if entry.record == row["experiment"]]
    entries = [e for e in entries if all(row.get(key, str(value)) == str(value) for key, value in e.row.items())]
    experiments = load_experiments(ROOT)
    return {records._as_run(entry.view, experiments[entry.experiment], record) for entry in entries}


def within(seed, view):
    for part in filter(None, view.split(".")):
        seed = seed[part]
    return seed


def admitted(column, metrics):
    """The metric that a column is named after, the longest that fits; any where it is named after an action."""
    name = column.removesuffix(" measured").removesuffix("_mm").lower()
    fitting = [metric for metric in metrics if name == metric or name.endswith(f"_{metric}")]
    return [max(fitting, key=len)] if fitting else list(metrics)


def actions_of(row, column, measured):
    """The action of a column: Human3.6M's go by their order; of a set with names of its own any may be meant."""
    names = list(row)
    printed = names[names.index("kind") + 1 : names.index("Avg")]
    if len(printed) != len(H36M_ACTIONS):
        return list(measured)
    return [dict(zip(printed, H36M_ACTIONS, strict=True))[column]]


def strays(results, drawn):
    return [
        f"{path.relative_to(results)}: {row['experiment']}, {column}: {row[column]} is not in its record"
        for path, row, column in drawn
        if not any(printed_as(value, row, column) for value in from_record(results, path, row, column))
    ]


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.name)
def test_drawn_cells_are_what_their_records_say(results):
    drawn = draw(results)
    assert len(drawn) == DRAWN
    assert not strays(results, drawn)


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.name)
def test_their_records_name_code_setting_data_seeds_and_weights(results):
    for _, row, _ in draw(results):
        record = record_of(results, row)
        assert record["profile"] in row["setting run"] and record["setting"]["model"]
        assert re.fullmatch("[0-9a-f]{7,40}", record["commit"]) and re.fullmatch("[0-9a-f]{64}", record["data"])
        assert [seed["seed"] for seed in record["seeds"]] == list(range(int(row["seeds"])))
        assert all(re.fullmatch("[0-9a-f]{64}", seed["weights_sha256"]) for seed in record["seeds"])


def test_weights_at_hand_are_those_of_the_records():
    results, checked = ROOT / load_parameters(ROOT).results, 0
    for path in sorted((results / "metrics").glob("*.json")):
        record = json.loads(path.read_text())
        for seed in record["seeds"]:
            weights = ROOT / "checkpoints" / record["experiment"] / f"seed{seed['seed']}.safetensors"
            if weights.is_file():
                checked += 1
                assert hashlib.sha256(weights.read_bytes()).hexdigest() == seed["weights_sha256"], weights
    if not checked:
        pytest.skip("no weights in checkpoints/; 'dvc repro' makes them")


@pytest.mark.parametrize("column", ["Dir", "Avg", "mpjpe_mm measured"])
def test_a_cell_that_was_changed_by_hand_is_found(tmp_path, column):
    results = tmp_path / "results"
    shutil.copytree(ROOT / "results", results, ignore=shutil.ignore_patterns("site", "*.ipynb", "*.png", "*.svg"))
    path, row, _ = next(cell for cell in cells(results) if cell[2] == column)
    assert not strays(results, [(path, row, column)])
    row[column] = str(round(float(row[column]) + 0.1, 2))
    assert strays(results, [(path, row, column)])
