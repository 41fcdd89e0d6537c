"""Other runtimes give the same poses, for every model."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_every_model import SMALL

from poselib.errors import InputError
from poselib.lifting.onnx_export import export
from poselib.models import build
from poselib.strategies import PLAIN, STRATEGIES

pytest.importorskip("onnxscript", reason="the extra export is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra export is not installed")


@pytest.mark.parametrize("name", SMALL)
def test_onnxruntime_agrees(name, network, tmp_path):
    small, strategy = network(name), PLAIN
    if name == "ampose":
        # The mixed training feeds 3D velocity too, which is zero here: the file takes positions alone.
        small, strategy = network(name, strategy="tmt"), STRATEGIES["tmt"]
        small = replace(small, model=build(name, **SMALL[name], in_channels=5).eval())
    export(small, tmp_path / "a.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    for clips in (1, 3):
        inputs = {"poses_2d": torch.rand(clips, small.model.config.frames, 17, 2) - 0.5}
        if name == "uplift_upsample":
            inputs["key_frames"] = torch.rand(clips, small.model.config.frames) > 0.5
        (found,) = session.run(["poses_3d"], {key: value.numpy() for key, value in inputs.items()})
        with torch.inference_mode():
            expected = small.model(strategy.inference_input(inputs.pop("poses_2d")), **inputs).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert np.abs(expected).max() > 1e-2
    said = json.loads(session.get_modelmeta().custom_metadata_map["poselib"])
    assert said == json.loads(small.about.model_dump_json())
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_a_missing_extra_is_named(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(InputError, match=r"a.onnx: ONNX needs onnxscript; pip install '\.\[export\]'"):
        export(network(), tmp_path / "a.onnx")
