import pytest
import torch
from golden import filled

from poselib.errors import InputError
from poselib.interop import from_official, to_official
from poselib.models import build

SMALL = {"frames": 9, "dim": 8}


@pytest.fixture
def official():
    state = to_official(build("gla_gcn", **SMALL))
    return {name: value.to(state[name].dtype) for name, value in {**state, **filled(state)}.items()}


def test_published_names_and_shapes():
    with torch.device("meta"):
        model = build("gla_gcn")
    state = to_official(model)
    assert len(state) == 362
    assert len(to_official_parameters(state)) == 287
    norms = {"weight": (96,), "bias": (96,), "running_mean": (96,), "running_var": (96,), "num_batches_tracked": ()}
    shapes = {f"data_bn.{key}": (34,) for key in ("weight", "bias", "running_mean", "running_var")}
    shapes |= {"data_bn.num_batches_tracked": (), "fc.weight": (3, 96, 1), "fc.bias": (3,)}
    blocks = {"expand_gcn": 2, **{f"layers_tcngcn.{i}": 96 for i in range(10)}}
    for block, channels in blocks.items():
        shapes[f"{block}.gcn1.PA"] = (3, 17, 17)
        for k in range(3):
            for which, width in (("a", 24), ("b", 24), ("d", 96)):
                shapes[f"{block}.gcn1.conv_{which}.{k}.weight"] = (width, channels, 1, 1)
                shapes[f"{block}.gcn1.conv_{which}.{k}.bias"] = (width,)
        shapes |= {f"{block}.tcn1.conv.weight": (96, 96, 9, 1), f"{block}.tcn1.conv.bias": (96,)}
        shapes |= {f"{block}.{part}.bn.{key}": shape for part in ("gcn1", "tcn1") for key, shape in norms.items()}
    for part in ("gcn1.down.0", "residual.conv"):
        shapes |= {f"expand_gcn.{part}.weight": (96, 2, 1, 1), f"expand_gcn.{part}.bias": (96,)}
    for part in ("gcn1.down.1", "residual.bn"):
        shapes |= {f"expand_gcn.{part}.{key}": shape for key, shape in norms.items()}
    assert {name: tuple(value.shape) for name, value in state.items()} == shapes


def to_official_parameters(state):
    return [name for name in state if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))]


def test_round_trip_is_exact(official):
    official["data_bn.num_batches_tracked"] = torch.tensor(123)
    model = from_official("gla_gcn", official)
    back = to_official(model)
    assert back.keys() == official.keys()
    assert all(torch.equal(back[name], official[name]) for name in official)
    assert not model.training
    config = model.config
    assert (config.frames, config.widths, config.dim, config.joints, config.in_channels) == (9, (3, 3), 8, 17, 2)


def test_round_trip_from_ours_is_exact():
    torch.manual_seed(3)
    model = build("gla_gcn", frames=15, joints=15, in_channels=5, dim=12)
    model(torch.randn(2, 15, 15, 5))
    with torch.no_grad():
        model.strided_blocks[0].graph.biases.normal_()
    back = from_official("gla_gcn", to_official(model), frames=15)
    assert back.config == model.config
    assert all(torch.equal(value, back.state_dict()[name]) for name, value in model.state_dict().items())
    inputs = torch.randn(2, 15, 15, 5)
    with torch.inference_mode():
        assert torch.equal(back(inputs), model.eval()(inputs))


def test_wrapped_prefixed_file(official, tmp_path):
    path = tmp_path / "epoch_80.bin"
    weights = {f"module.{name}": value for name, value in official.items()}
    torch.save({"epoch": 80, "lr": 1e-5, "random_state": None, "optimizer": {}, "model_pos": weights}, path)
    back = to_official(from_official("gla_gcn", path))
    assert all(torch.equal(back[name], official[name]) for name in official)


def test_released_buffers_decide_the_output(official):
    inputs = torch.randn(2, 9, 17, 2)
    with torch.inference_mode():
        before = from_official("gla_gcn", official)(inputs)
        official["layers_tcngcn.0.tcn1.bn.running_mean"] = torch.full((8,), -3.0)
        assert not torch.allclose(before, from_official("gla_gcn", official)(inputs))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update({"fc.bia": s.pop("fc.bias")}), "missing: fc.bias; unexpected: fc.bia"),
        (lambda s: s.pop("layers_tcngcn.1.gcn1.conv_b.2.bias"), "missing: layers_tcngcn.1.gcn1.conv_b.2.bias"),
        (lambda s: s.pop("data_bn.running_var"), "missing: data_bn.running_var"),
        (lambda s: s.update({"fc.weight": torch.zeros(4, 8, 1)}), r"fc.weight is \(4, 8, 1\), not \(3, 8, 1\)"),
        (lambda s: s.pop("expand_gcn.gcn1.PA"), "expand_gcn.gcn1.PA"),
        (lambda s: s.update({"fc_individual.0.weight": torch.zeros(3, 8, 1)}), "unexpected: fc_individual.0.weight"),
    ],
)
def test_any_difference_is_named(official, change, message):
    change(official)
    with pytest.raises(InputError, match=message):
        from_official("gla_gcn", official)


def test_an_expected_length_must_be_met(official):
    with pytest.raises(InputError, match="missing: layers_tcngcn.4"):
        from_official("gla_gcn", official, frames=27)


@pytest.mark.parametrize("config", [{"head": "both"}, {"head": "unshared"}, {"head": "full"}, {"sequence_blocks": 3}])
def test_variants_without_released_code_have_no_official_names(config):
    with pytest.raises(InputError, match="released code"):
        to_official(build("gla_gcn", **SMALL, **config))
