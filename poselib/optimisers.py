"""Optimisers that torch does not have."""

from collections.abc import Callable

import torch


class Ranger(torch.optim.RAdam):
    """RAdam with Lookahead: after every `slow_steps` updates, weights return part of the way to a slow copy.

    RAdam: Liu et al., ICLR 2020; Lookahead: Zhang et al., NeurIPS 2019. Defaults as in GLA-GCN's released code: no
    gradient centralisation, no weight decay, a slow copy that starts at the initial weights. `slow_share` is how far
    the slow copy moves to the fast weights.
    """

    def __init__(
        self, params, lr: float, betas=(0.95, 0.999), eps: float = 1e-5, slow_steps: int = 6, slow_share: float = 0.5
    ):
        super().__init__(params, lr=lr, betas=betas, eps=eps, foreach=True)
        self.slow_steps, self.slow_share = slow_steps, slow_share

    @torch.no_grad()
    def step(self, closure: Callable | None = None):
        """One update; `closure`, if given, recomputes and returns the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        weights = [w for group in self.param_groups for w in group["params"] if w.grad is not None]
        initial = {w: w.clone() for w in weights if "slow" not in self.state[w]}
        super().step()
        for weight in weights:
            state = self.state[weight]
            slow = state.setdefault("slow", initial.get(weight))
            if state["step"].item() % self.slow_steps == 0:
                weight.copy_(slow.lerp_(weight, self.slow_share))
        return loss
