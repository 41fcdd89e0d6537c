"""Trainings, evaluations and tables that run again, in the smoke profile."""

from smoke import run


def test_the_same_seed_gives_the_same_bytes(smoke_again):
    folder = smoke_again
    chosen = ("tmt_d4_w64_t27_gt", "mixste_t243_cpn")
    paths = [folder / f"results/metrics/{name}.json" for name in chosen]
    papers = ("tmt", "mixste", "uplift_upsample")
    # Timings differ from run to run; nothing else may, the verdicts on them included.
    paths += [p for paper in papers for p in sorted((folder / "results" / paper).glob("*")) if ".timing." not in p.name]
    before = {path: path.read_bytes() for path in paths}
    prepared = {path.name: path.read_bytes() for path in (folder / "data/prepared/h36m").iterdir()}
    stages = [f"{stage}@{name}" for name in chosen for stage in ("train", "evaluate")]
    notebooks = ("tmt-figures", "mixste-table08", "mixste-figure07", "uplift_upsample-table04")
    stages += [f"table-{name}" for name in notebooks]
    run(folder, "dvc", "repro", "-q", "-s", "-f", "synthesise", "prepare", *stages)
    assert {path.name: path.read_bytes() for path in (folder / "data/prepared/h36m").iterdir()} == prepared
    changed = [str(path.relative_to(folder)) for path in paths if path.read_bytes() != before[path]]
    assert not changed
