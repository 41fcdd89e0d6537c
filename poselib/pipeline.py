"""dvc.yaml, written from the experiments, the tables and what each stage really imports."""

import ast
import json
import re
from pathlib import Path

import yaml

from poselib.closure import FOLDER, closure, code_of, units
from poselib.experiments import SETTINGS, Experiment, load_experiments, load_tables
from poselib.project import notebooks, stage_of

# These read whatever has been trained, or the scoreboard, which is written after all tables: people run them.
LIVE = ("00_start_here", "explore_attention", "explore_predictions", "explore_velocity")
# What notebooks write with, and the endings of the files; the third argument is their stem.
WRITE = {
    "tables.write": ("csv", "md"),
    "style.save": ("png", "svg"),
    "gallery.save": ("png",),
    "gallery.film": ("gif",),
}
HEADER = "# Written by 'python -m poselib pipeline'; a test keeps it so. Settings: params.yaml and experiments/.\n"


def dvc_yaml(root: Path) -> str:
    """The text of dvc.yaml for the experiments and notebooks there are."""
    experiments = load_experiments(root)
    roles = sorted({role for run in experiments.values() for role in (run.role, *run.also_on)})
    runs = {name: _run(name, experiment) for name, experiment in experiments.items()}
    crossed = {f"{name}_on_{on}": {**runs[name], "on": on} for name, run in experiments.items() for on in run.also_on}
    made = {
        "outs": ["predictions/${key}.npz"],
        "metrics": [{"${results}/metrics/${key}.json": {"cache": False}}],
    }
    plot = {"cache": False, "x": "updates", "y": "validation_mpjpe_mm", "title": "${key}"}
    logs = [{"${results}/logs/${key}.csv": plot}]
    timing = {"${results}/logs/${key}.timing.csv": {"cache": False}}
    stages = {
        "synthesise": {
            "foreach": roles,
            "do": _stage(
                root,
                "synthesise",
                argument="${item}",
                params=[{"params.yaml": ["profiles.${profile}.synthetic_seconds"]}],
                outs=["data/raw/synthetic/${item}"],
            ),
        },
        "prepare": {
            "foreach": {role: f"${{roles.{role}.path}}" for role in roles},
            "do": _stage(
                root,
                "prepare",
                argument="${key}",
                deps=["${item}"],
                params=[{"params.yaml": ["roles.${key}", "profiles.${profile}.every"]}],
                outs=["data/prepared/${key}"],
            ),
        },
        "settings": _stage(root, "settings", deps=["params.yaml", "experiments"], outs=[SETTINGS]),
        "code": _code(root),
        "train": _each("train", "runs", ["${item.start}"], outs=["checkpoints/${key}"]),
        "evaluate": _each(
            "evaluate",
            "runs",
            ["checkpoints/${key}"],
            **{**made, "outs": [*made["outs"], timing], "plots": logs},
        ),
    }
    if crossed:
        deps = ["checkpoints/${item.run}", "data/prepared/${item.on}"]
        stages["evaluate_on"] = _each("evaluate", "crossed", deps, argument=" --on ${item.on}", **made)
    shown = run_by_stages(root)
    stages |= {stage_of(notebook): _table(root, notebook) for notebook in shown}
    sources = [f"notebooks/{notebook}.ipynb" for notebook in shown]
    executed = [f"${{results}}/{notebook}.ipynb" for notebook in shown]
    written = ["README.md", "divergences.md", "scoreboard.timing.csv"]
    shared = ["data/divergences.csv", "data/gallery.csv", f"{SETTINGS}/tables"]
    stages["report"] = _stage(
        root,
        "report",
        deps=[*shared, "${results}/metrics", "${results}/logs", *sources, *executed, *judged(root), *switched(root)],
        outs=["${results}/site", *({f"${{results}}/{name}": {"cache": False}} for name in written)],
    )
    # Stages depend on what these come to; named here, `dvc params diff` shows what was changed in them.
    chosen = ["params.yaml", *(path.relative_to(root).as_posix() for path in sorted((root / "experiments").iterdir()))]
    content = {"params": chosen, "vars": [{"runs": runs}, {"crossed": crossed}], "stages": stages}
    return HEADER + yaml.safe_dump(content, sort_keys=False, width=120)


def run_by_stages(root: Path) -> list[str]:
    """The notebooks that are not left to people alone."""
    return [name for name in notebooks(root) if name not in LIVE]


def judged(root: Path) -> list[str]:
    """The files of verdicts, one for each notebook of a paper that judges its claims."""
    return [f"${{results}}/{name}.claims.csv" for name in notebooks(root) if "/" in name and "/switches" not in name]


def switched(root: Path) -> list[str]:
    """The tables of what it changes to settle a divergence otherwise."""
    return [f"${{results}}/{name}.csv" for name in notebooks(root) if "/switches" in name]


def _stage(root: Path, name: str, *, argument: str = "", deps: list = (), **parts: list) -> dict:
    modules = sorted(closure(root, root / f"poselib/stages/{name}.py"))
    return {"cmd": f"python -m poselib {name} {argument}".strip(), "deps": [*deps, *modules], **parts}


def _code(root: Path) -> dict:
    found = units(root)
    files = {"poselib/stages/fingerprint.py", *(file for files in found.values() for file in files)}
    outs = [f"{FOLDER}/{name}.json" for name in found]
    return {"cmd": "python -m poselib fingerprint", "deps": sorted(files), "outs": outs}


def _run(name: str, experiment: Experiment) -> dict[str, str]:
    """What the stages of an experiment are told of it."""
    start = f"checkpoints/{experiment.start}" if experiment.start else f"{FOLDER}/scratch.json"
    return {"run": name, "model": experiment.model, "role": experiment.role, "start": start}


def _each(name: str, runs: str, deps: list[str], argument: str = "", **parts: list) -> dict:
    code = [f"{FOLDER}/{name}.json", f"{FOLDER}/models/${{item.model}}.json"]
    deps = [f"{SETTINGS}/runs/${{item.run}}.json", "data/prepared/${item.role}", *deps, *code]
    stage = {"cmd": f"python -m poselib {name} ${{item.run}}{argument}", "deps": deps, **parts}
    return {"foreach": f"${{{runs}}}", "do": stage}


def _table(root: Path, notebook: str) -> dict:
    path = root / "notebooks" / f"{notebook}.ipynb"
    source, parameters = code_of(path), _parameters(path)
    named = [notebook, *re.findall(r'runs_of\(root\(\), "([\w/]+)"', source)]
    known = [name for name in dict.fromkeys(named) if name in load_tables(root)]
    runs = list(dict.fromkeys(row.record for name in known for row in load_tables(root)[name] if row.experiment))
    records = [f"${{results}}/metrics/{run}.json" for run in runs]
    for reader, kind in (("log_of(", "csv"), ("timing_of(", "timing.csv")):
        records += [f"${{results}}/logs/{run}.{kind}" for run in runs if reader in source]
    files = [str(path.relative_to(root)), f"{FOLDER}/notebooks/{notebook}.json", *records]
    files += [f"data/reported/{table}.csv" for table in re.findall(r'reported\(root\(\), "([\w/]+)"', source)]
    files += ["data/divergences.csv"] if "divergences(" in source else []
    files += ["data/reported/open_mocap"] if "open_mocap" in source else []
    if "predictions_of(" in source:
        files += [f"predictions/{run}.npz" for run in runs]
    files += [
        f"data/prepared/{role}" for role in re.findall(r'open_prepared\(root\(\) / "data/prepared/(\w+)"', source)
    ]
    if "checkpoints.load(" in source:
        files += [f"checkpoints/{value}" for name, value in parameters.items() if name.startswith("experiment")]
    files += [f"{SETTINGS}/tables/{name}.json" for name in known] if runs else []
    files += [f"${{results}}/{name}" for name in re.findall(r'read_csv\(folder / "([\w/.]+)"', source)]
    files += judged(root) if "scoreboard(" in source else []
    chosen = {"params": [{"params.yaml": ["profile"]}]} if "profile" in parameters else {}
    folder = f"${{results}}/{notebook}".rsplit("/", 1)[0]
    outs = [f"${{results}}/{notebook}.ipynb", *(f"{folder}/{name}" for name in _written(source))]
    return {
        "cmd": f"python -m poselib table {notebook}",
        "deps": list(dict.fromkeys(files)),
        **chosen,
        "outs": [{out: {"cache": False}} for out in outs],
    }


def _written(source: str) -> list[str]:
    """Files that a notebook writes, by the functions of WRITE."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in WRITE:
            found += [f"{node.args[2].value}.{kind}" for kind in WRITE[ast.unparse(node.func)]]
    return sorted(found)


def _parameters(notebook: Path) -> dict:
    """What the tagged cell defines, by name."""
    cells = json.loads(notebook.read_text())["cells"]
    tagged = next(cell for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    nodes = ast.parse("".join(tagged["source"])).body
    return {node.targets[0].id: ast.literal_eval(node.value) for node in nodes}
