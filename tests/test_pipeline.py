"""The whole pipeline, for real, in the smoke profile: DVC, papermill, kernels, and nbval over every notebook."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import lab
import pytest
import yaml
from smoke import ENVIRONMENT, ROOT, run

from poselib.closure import fingerprint, units
from poselib.experiments import load_experiments, load_parameters, load_tables
from poselib.pipeline import dvc_yaml, run_by_stages
from poselib.project import stage_of
from poselib.stages import table as table_stage


def test_every_experiment_has_a_record_and_every_notebook_a_copy(smoke):
    for name in load_experiments(ROOT):
        record = json.loads((smoke / f"results/metrics/{name}.json").read_text())
        assert record["profile"] == "smoke" and record["source"] == "synthetic" and len(record["seeds"]) == 1
    for notebook in run_by_stages(ROOT):
        text = (smoke / f"results/{notebook}.ipynb").read_text()
        assert '"output_type": "error"' not in text, notebook


def test_nothing_is_left_to_do(smoke):
    assert "up to date" in run(smoke, "dvc", "repro").stdout


def test_tables_name_their_source_and_have_the_baseline(smoke):
    for table in ("tmt/table07", "mixste/table06"):
        with (smoke / f"results/{table}.csv").open() as file:
            rows = list(csv.DictReader(file))
        measured = [row for row in rows if row["status"] == "measured"]
        assert measured and all(row["source"] == "synthetic (stand-in)" for row in measured)
        assert rows[-1]["method"] == "mean pose (no input)" and float(rows[-1]["mpjpe_mm measured"]) > 100


def test_the_scoreboard_and_the_readme_agree(smoke):
    board = (smoke / "results/README.md").read_text()
    readme = (smoke / "README.md").read_text()
    for claim in ("TMT-13", "TMT-22", "MIX-9a", "TMT-7a"):
        assert f"| {claim} " in board and re.search(rf"[|;] {claim}( |;)", readme), claim
    assert "synthetic (stand-in)" in readme
    assert "D-22" in (smoke / "results/divergences.md").read_text()
    for notebook in run_by_stages(ROOT):
        assert (smoke / f"results/site/{notebook}.html").is_file(), notebook


def test_a_changed_experiment_runs_again_with_the_tables_that_read_it_and_a_killed_run_continues(smoke):
    run(smoke, "dvc", "repro", "-q")
    name, path = "tmt_step2_d4_w64_t27_gt", smoke / "experiments/tmt.yaml"
    text, before = path.read_text(), {file: file.read_bytes() for file in outcome(smoke)}
    old, new = ("strategy: tmt_step2, detector: gt}", "strategy: tmt_step2, detector: gt, lr: 5.0e-5}")
    path.write_text(text.replace(old, new, 1))
    ran = re.findall(r"Running stage '(.+)'", run(smoke, "dvc", "repro").stdout)
    readers = {
        stage_of(notebook)
        for notebook, rows in load_tables(smoke).items()
        if any(row.experiment == name for row in rows)
    }
    # The gallery shows verdicts, and is drawn again only where one of them moved.
    always = {"settings", f"train@{name}", f"evaluate@{name}", "report"}
    assert readers and set(ran) - {"table-gallery"} == always | readers
    assert before[smoke / f"results/metrics/{name}.json"] != (smoke / f"results/metrics/{name}.json").read_bytes()
    path.write_text(text)
    killed_while_training(smoke, name)
    run(smoke, "make", "stages", f"VENV={sys.prefix}")
    assert [str(file) for file in outcome(smoke) if before.get(file) != file.read_bytes()] == []


def test_what_the_readme_has_slurm_do_is_recorded(smoke):
    submit, commit = re.search(
        r"^sbatch .*--wrap '(.+)'\n(dvc commit .+)$", (ROOT / "README.md").read_text(), re.M
    ).groups()
    name = "tmt_t81_gt"
    number = sorted(path.stem for path in (smoke / "data/settings/runs").iterdir()).index(name) + 1
    shutil.rmtree(smoke / "predictions")
    shutil.rmtree(smoke / "checkpoints" / name)
    run(smoke, "env", f"SLURM_ARRAY_TASK_ID={number}", "sh", "-c", submit)
    assert [path.name for path in (smoke / "predictions").iterdir()] == [f"{name}.npz"]
    run(smoke, "sh", "-c", commit)
    assert "up to date" in run(smoke, "dvc", "status", f"train@{name}", f"evaluate@{name}").stdout
    # Not the lifter, which has a pipeline of its own and did not run.
    run(smoke, "dvc", "checkout", "-q", "dvc.yaml")


def outcome(folder):
    """The files of the results that hold no timings."""
    files = [file for file in (folder / "results").rglob("*") if file.is_file()]
    return [file for file in files if ".timing." not in file.name and "site" not in file.parts]


def killed_while_training(folder, name):
    command = [sys.executable, "-m", "poselib", "side-by-side", "--jobs", "2"]
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, start_new_session=True) as process:
        ends = time.monotonic() + 120
        while not (folder / "work" / name).exists():
            assert process.poll() is None and time.monotonic() < ends, "the training did not begin"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)


def test_nbval_passes_over_every_notebook(smoke):
    options = ("-n", "2", "--dist", "loadfile", "-o", "addopts=", "--nbval-lax", "--nbval-current-env")
    command = (sys.executable, "-m", "pytest", *options, "notebooks")
    found = run(smoke, *command, check=False)
    cells = sum(path.read_text().count('"cell_type": "code"') for path in (smoke / "notebooks").rglob("*.ipynb"))
    passed = int(re.search(r"(\d+) passed", found.stdout)[1])
    if "Kernel died before replying to kernel_info" in found.stdout:
        # Another process took one of the ports chosen for it, before it began: no notebook's fault.
        again = run(smoke, *command, "--last-failed")
        passed += int(re.search(r"(\d+) passed", again.stdout)[1])
    assert passed == cells, found.stdout[-4000:]


def test_a_notebook_of_tables_runs_in_jupyterlab_and_draws(smoke, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = lab.browser_path()
    written = {file: file.read_bytes() for file in (smoke / "results/tmt").iterdir()}
    with lab.server(smoke, tmp_path, ENVIRONMENT) as (address, token), playwright.sync_playwright() as driver:
        page = driver.chromium.launch(executable_path=path, args=lab.FLAGS).new_page()
        cells, outside = lab.run_all_cells(page, address, token, "tmt/figures.ipynb")
        code = {i: cell["outputs"] for i, cell in enumerate(cells) if cell["cell_type"] == "code"}
        drawn = [i for i, outputs in code.items() if any(lab.PLOTLY in out.get("data", ()) for out in outputs)]
        assert len(drawn) == 2 and all(lab.colours(page, i) > 50 for i in drawn)
    assert all(cells[i]["execution_count"] for i in code)
    outputs = [out for outputs in code.values() for out in outputs]
    assert not [out for out in outputs if out["output_type"] == "error" or out.get("name") == "stderr"]
    assert outside == []
    # By hand as by the pipeline: what a notebook writes does not depend on who runs it.
    assert {file: file.read_bytes() for file in written} == written


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["table", "tmt/table07", "--set", "metrik=p_mpjpe"], "has no parameter 'metrik'"),
        (["table", "tmt/table99"], "no such notebook"),
        (["train", "mixste_t9"], "no experiment 'mixste_t9'"),
        (["prepare", "kinetics"], "roles has no 'kinetics'"),
        (["select", "--profile", "huge"], "profile 'huge' does not exist"),
        (["select", "--source", "web"], "unknown source 'web'"),
    ],
)
def test_wrong_calls_end_in_one_sentence_and_code_2(smoke, command, message):
    done = run(smoke, sys.executable, "-m", "poselib", *command, check=False)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("poselib: ")]
    assert len(lines) == 1 and message in lines[0] and "Traceback" not in done.stderr


def test_dvc_yaml_is_what_experiments_notebooks_and_imports_say():
    assert (ROOT / "dvc.yaml").read_text() == dvc_yaml(ROOT), "run 'python -m poselib pipeline'"


def test_training_does_not_depend_on_tables_figures_or_readers():
    files = units(ROOT)["train"]
    assert "poselib/training.py" in files and "poselib/losses.py" in files
    assert not [f for f in files if any(part in f for part in ("tables", "figures", "claims", "synthetic", "cmu"))]


def test_a_model_has_its_own_fingerprint():
    files = units(ROOT)["models/mixste"]
    assert {"poselib/models/mixste.py", "poselib/layers/attention.py"} <= set(files)
    shared = {f"poselib/models/{name}.py" for name in ("__init__", "refinement")}
    assert {file for file in units(ROOT)["train"] if file.startswith("poselib/models/")} == shared


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("# why", "# another reason"), True),
        (('"""What it does."""', '"""Said better."""'), True),
        (("x + 1", "x +  1"), True),
        (("x + 1", "x + 2"), False),
        (('"a text"', '"another"'), False),
    ],
)
def test_a_fingerprint_sees_what_code_does_and_nothing_else(tmp_path, change, same):
    text = 'def f(x):\n    """What it does."""\n    # why\n    print("a text")\n    return x + 1\n'
    digests = []
    for content in (text, text.replace(*change)):
        (tmp_path / "f.py").write_text(content)
        digests.append(fingerprint(tmp_path, ["f.py"]))
    assert (digests[0] == digests[1]) is same


def test_a_table_depends_on_the_models_that_it_builds():
    stage = yaml.safe_load(dvc_yaml(ROOT))["stages"]["table-mixste-table08"]
    assert {"poselib/models/mixste.py", "poselib/models/poseformer.py"} <= set(units(ROOT)["notebooks/mixste/table08"])
    assert "data/code/notebooks/mixste/table08.json" in stage["deps"]
    assert stage["params"] == [{"params.yaml": ["profile"]}]
    assert {"${results}/mixste/table08.timing.csv": {"cache": False}} in stage["outs"]


def test_a_notebook_depends_on_the_weights_of_every_experiment_that_it_names():
    deps = yaml.safe_load(dvc_yaml(ROOT))["stages"]["table-gla_gcn-figures"]["deps"]
    assert {"checkpoints/gla_gcn_t27_gt", "checkpoints/gla_gcn_t27_gt_no_individual"} <= set(deps)


def test_the_gallery_depends_on_what_other_notebooks_wrote_and_on_the_runs_of_their_tables():
    stage = yaml.safe_load(dvc_yaml(ROOT))["stages"]["table-gallery"]
    assert {"${results}/uplift_upsample/table05.csv", "${results}/tmt/table10.claims.csv"} <= set(stage["deps"])
    assert {"predictions/tmt_t243_gt.npz", "data/settings/tables/gla_gcn/figures.json"} <= set(stage["deps"])
    assert len(set(stage["deps"])) == len(stage["deps"])
    assert {"${results}/gallery/lifted.gif": {"cache": False}} in stage["outs"]


def test_a_notebook_that_depends_on_the_profile_is_told_it(monkeypatch):
    given = {}
    monkeypatch.setattr(table_stage, "run_notebook", lambda source, target, parameters: given.update(parameters))
    table_stage.run(ROOT, "mixste/table08", [])
    assert given == {"results": load_parameters(ROOT).results, "profile": load_parameters(ROOT).profile}
    given.clear()
    table_stage.run(ROOT, "tmt/table04", ["depth=2"])
    assert given == {"results": load_parameters(ROOT).results, "depth": 2}


def test_every_dependency_in_the_checkout_exists():
    content = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    for name, stage in content["stages"].items():
        for dep in (stage.get("do") or stage)["deps"]:
            made = "$" in dep or dep.startswith(
                ("data/prepared", "data/raw", "data/code", "data/settings", "checkpoints", "predictions")
            )
            assert made or (ROOT / dep).exists(), f"{name}: {dep}"
