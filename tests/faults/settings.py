"""What people edit: params.yaml and experiments/*.yaml, read by every command."""

from faults.catalogue import Fault, project

COMMAND = ("select", "--profile", "smoke")
TRAIN = ("train", "tmt_d4_w64_t27_gt")
OWN = "  tmt_d4_w64_t27_gt:"


def make(folder):
    project(folder)


def of_params(key, told, old, new, command=()):
    return replaced("params.yaml", key, told, old, new, command)


def of_experiments(key, told, old, new):
    return replaced("experiments/tmt.yaml", key, told, old, new, TRAIN)


def replaced(file, key, told, old, new, command):
    def harm(folder):
        path = folder / file
        text = path.read_text()
        assert old in text, "the fault does not change the file"
        path.write_text(text.replace(old, new, 1))

    return Fault(harm, file, key, told, command)


def written(file, content, told, command=()):
    return Fault(lambda folder: (folder / file).write_bytes(content), file, "", told, command)


FAULTS = {
    "no params": Fault(lambda folder: (folder / "params.yaml").unlink(), "params.yaml", "", "no such file"),
    "params is a folder": Fault(
        lambda f: ((f / "params.yaml").unlink(), (f / "params.yaml").mkdir()), "params.yaml", "", "not valid YAML"
    ),
    "bytes": written("params.yaml", b"profile: \xff\xfe", "not valid YAML"),
    "empty": written("params.yaml", b"", "expected keys and values"),
    "a list": written("params.yaml", b"[1, 2]", "expected keys and values"),
    "cut": of_params("", "not valid YAML", "seeds: [0]", "seeds: [0"),
    "deep": written("params.yaml", b"seeds: " + b"[" * 5000, "not valid YAML"),
    "a day that is none": of_params("", "not valid YAML", "profile: smoke", "profile: 2020-13-45"),
    "YAML that calls": of_params(
        "", "python/object/apply", "profile: smoke", "profile: !!python/object/apply:os.mkdir [executed]"
    ),
    "YAML that imports": of_params("", "python/module", "profile: smoke", "profile: !!python/module:this"),
    "unknown profile": of_params("'demmo'", "does not exist", "profile: smoke", "profile: demmo"),
    "unknown key": of_params("batchez", "Extra inputs are not permitted", "batches:", "batchez:"),
    "missing key": of_params("results", "Field required", "results: results", "seed: 0 #"),
    "no seeds": of_params("seeds", "at least 1 item", "seeds: [0]", "seeds: []"),
    "seed twice": of_params("", "one is there twice", "seeds: [0]", "seeds: [0, 0]"),
    "seed below zero": of_params("seeds.0", "greater than or equal to 0", "seeds: [0]", "seeds: [-1]"),
    "no epochs": of_params("epochs", "greater than 0", "epochs: 2", "epochs: 0"),
    "batches of nobody": of_params(
        "'mixstee'", "no experiment, model", "batches: {mixste:", "batches: {mixstee:", ("settings",)
    ),
    "divisor of nobody": of_params("batch_divisor.mixstee", "'mixste'", "      mixste: 32\n", "      mixstee: 32\n"),
    "nothing kept of a recording": of_params("every", "Field required", "    every: 1\n    short", "    short"),
    "seeds in words": of_params("seeds.0", "valid integer", "seeds: [0]", "seeds: [zero]"),
    "results that lead out": of_params("results", "match pattern", "results: results", "results: ../../results"),
    "results at the root": of_params("results", "match pattern", "results: results", "results: /elsewhere/results"),
    "unknown source": of_params("roles.h36m.source", "'synthetic'", "source: synthetic", "source: web"),
    "infinite seconds": of_params("synthetic_seconds", "finite", "synthetic_seconds: 0.3", "synthetic_seconds: .inf"),
    "role left out": of_params("'h36m'", "roles has no", "  h36m:", "  human:"),
    "role to prepare": of_params("'h36m'", "roles has no", "  h36m:", "  human:", ("prepare", "h36m")),
    "source of another role": of_params(
        "h36m", "no source 'amass'", "h36m: {source: synthetic", "h36m: {source: amass", ("prepare", "h36m")
    ),
    "experiment cut": of_experiments("", "not valid YAML", "experiments:", "experiments: ["),
    "experiment that calls": of_experiments(
        "", "python/object/apply", "paper: tmt,", "paper: !!python/object/apply:os.mkdir [executed],"
    ),
    "misspelt key": of_experiments("stratgy", "known keys: paper, model", "strategy: tmt,", "stratgy: tmt,"),
    "depth in words": of_experiments("depth", "valid integer", "depth: 4,", "depth: four,"),
    "no width": of_experiments("dim", "greater than 0", "dim: 64,", "dim: 0,"),
    "NaN for a rate": of_experiments("lr", "finite number", "strategy: tmt,", "strategy: tmt, lr: .nan,"),
    "unknown model": of_experiments("model", "'mixste'", "model: mixste,", "model: posenet,"),
    "other paper": of_experiments("", "the file's name is the paper", "paper: tmt,", "paper: mixste,"),
    "unknown section": of_experiments("'tabels'", "unknown key", "tables:", "tabels:"),
    "numbered section": of_experiments("7", "unknown key", "tables:", "7: 8\nother: 1\ntables:"),
    "name that leads out": of_experiments("../../executed", "a name is made of", OWN, "  ../../executed:"),
    "name at the root": of_experiments("/elsewhere/executed", "a name is made of", OWN, "  /elsewhere/executed:"),
    "name of a list": written("experiments/tmt.yaml", b"experiments: [1, 2]\n", "not names with their values", TRAIN),
    "start of nobody": of_experiments(
        "tmt_d4_w64_t27_gt", "starts from 'nobody'", f"{OWN} {{", f"{OWN} {{start: nobody, "
    ),
    "start in a circle": of_experiments(
        "tmt_d4_w64_t27_gt", "starts from itself", f"{OWN} {{", f"{OWN} {{start: tmt_d4_w64_t27_gt, "
    ),
    "recipe of a number": written("experiments/recipes.yaml", b"ampose: 3\n", "expected keys and values", TRAIN),
}
