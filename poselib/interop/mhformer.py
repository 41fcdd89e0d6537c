"""MHFormer's released weights."""

from poselib.interop.format import OfficialFormat, State, blocks_of
from poselib.models.mhformer import HYPOTHESES

# Hypotheses are numbered from 0 here, from 1 there.
_PER_HYPOTHESIS = (
    (r"^generation_norms\.{0}\.", "norm_{1}."),
    (r"^generators\.{0}\.", "Transformer_encoder_{1}."),
    (r"^embeddings\.{0}\.", "embedding_{1}."),
    (r"^positions\.{0}$", "Transformer_hypothesis.pos_embed_{1}"),
    (r"^(refinements\.\d+)\.norms\.{0}\.", r"\1.norm1_{1}."),
    (r"^interaction\.norms\.{0}\.0\.", "interaction.norm3_{1}1."),
    (r"^interaction\.norms\.{0}\.1\.", "interaction.norm3_{1}2."),
    (r"^interaction\.norms\.{0}\.2\.", "interaction.norm3_{1}3."),
    (r"\.attentions\.{0}\.", ".attn_{1}."),
)


def _config_of(state: State) -> dict[str, int]:
    """Heads do not show in the weights."""
    joints = state["regression.1.weight"].shape[0] // 3
    return {
        "frames": state["norm_1.weight"].shape[0],
        "joints": joints,
        "in_channels": state["Transformer_encoder_1.pos_embed"].shape[1] // joints,
        "dim": state["Transformer_hypothesis.pos_embed_1"].shape[2],
        "hidden": state["Transformer_hypothesis.CHI_blocks.0.mlp.fc1.weight"].shape[0],
        "depth": 1 + blocks_of(state, "Transformer_hypothesis.SHR_blocks."),
        "generation_depth": blocks_of(state, "Transformer_encoder_1.blocks."),
    }


FORMAT = OfficialFormat(
    names=(
        *(
            (ours.format(m, m + 1), theirs.format(m, m + 1))
            for m in range(HYPOTHESES)
            for ours, theirs in _PER_HYPOTHESIS
        ),
        (r"^refinements\.", "Transformer_hypothesis.SHR_blocks."),
        (r"^interaction\.", "Transformer_hypothesis.CHI_blocks.0."),
        (r"^norm\.", "Transformer_hypothesis.norm."),
        (r"\.mixing\.norm\.", ".norm2."),
        (r"\.mixing\.mlp\.", ".mlp."),
        (r"\.position$", ".pos_embed"),
        (r"\.attention\.", ".attn."),
        (r"\.(q|k|v)(uery|ey|alue)\.", r".linear_\1."),
    ),
    config_of=_config_of,
)
