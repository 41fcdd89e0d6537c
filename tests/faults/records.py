"""Records of evaluations and verdicts of tables, read by `report`."""

import json
import shutil

from faults import archives
from faults.catalogue import ROOT, Fault, project

COMMAND = ("report",)
RECORD, CLAIMS = "results/metrics/small.json", "results/mixste/table01.claims.csv"
EXPERIMENTS = """experiments:
  small: {paper: mixste, model: mixste, frames: 27, dim: 64, depth: 4, detector: gt}
tables:
  mixste/table01: [{experiment: small, row: {method: MixSTE}}]
"""
CONTENT = {
    "experiment": "small",
    "profile": "smoke",
    "role": "h36m",
    "source": "synthetic",
    "credits": ["Synthetic motion"],
    "data": "0" * 64,
    "setting": {"model": "mixste", "frames": 3, "depth": 1, "dim": 8, "strategy": "plain"},
    "mean_pose": {"mpjpe": 200.0},
    "detector": "gt",
    "seeds": [{"seed": 0, "action_mean": {"mpjpe": 100.0}, "weights_sha256": "0" * 64}],
}


def make(folder):
    project(folder)
    for path in (folder / "experiments").glob("*.yaml"):
        if path.name != "recipes.yaml":
            path.unlink()
    (folder / "experiments/mixste.yaml").write_text(EXPERIMENTS)
    (folder / "data").mkdir()
    shutil.copy(ROOT / "data/divergences.csv", folder / "data")
    (folder / "notebooks/mixste").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks/mixste/table01.ipynb", folder / "notebooks/mixste")
    (folder / "README.md").write_text("<!-- scoreboard of results -->\n<!-- end of scoreboard -->\n")
    for file in (RECORD, CLAIMS):
        (folder / file).parent.mkdir(parents=True)
    (folder / RECORD).write_text(json.dumps(CONTENT))
    (folder / CLAIMS).write_text("claim,sentence,verdict,run_at,evidence,basis\nMIX-1,lower,holds,smoke,a,b\n")


def of_record(key, told, **changes):
    content = {name: value for name, value in {**CONTENT, **changes}.items() if value is not None}
    return Fault(lambda folder: (folder / RECORD).write_text(json.dumps(content)), "small.json", key, told)


def of_file(told, harm, file=RECORD, key=""):
    return Fault(lambda folder: harm(folder / file), file.rpartition("/")[2], key, told)


FAULTS = {
    "cut": of_file("not a readable record", archives.halved),
    "empty file": of_file("not a readable record", archives.empty),
    "bytes": of_file("not a readable record", lambda path: path.write_bytes(b"\xff\xfe")),
    "deep": of_file("not a readable record", lambda path: path.write_text("[" * 100_000)),
    "a list": of_file("not a readable record", lambda path: path.write_text("[1, 2]")),
    "NaN": of_record("it holds NaN", "not a readable record", mean_pose={"mpjpe": float("nan")}),
    "infinity": of_record("it holds Infinity", "not a readable record", mean_pose={"mpjpe": float("inf")}),
    "no seeds": of_record("'seeds'", "not a readable record", seeds=None),
    "empty seeds": of_record("'seeds'", "is not as it should be", seeds=[]),
    "seeds of another kind": of_record("'seeds'", "is not as it should be", seeds=3),
    "unknown source": of_record("'web'", "unknown source", source="web"),
    "source of a list": of_record("'source'", "is not as it should be", source=["web"]),
    "claims cut": of_file("no table of claims", archives.empty, CLAIMS),
    "claims of bytes": of_file("no table of claims", lambda path: path.write_bytes(b"\xff\xfe,\n"), CLAIMS),
    "claims in other columns": of_file("no table of claims", archives.text, CLAIMS, "verdict"),
}
