"""Exports one trained model twice: with a module per expert, and with stacked expert weights."""

import sys

import torch
import torch.nn.functional as F
from torch import nn

from architectures import ARCHITECTURES, use_experts
from corpus import BUILD

EXAMPLE = (torch.arange(3 * 40).reshape(3, 40),)
NAMES = dict(input_names=["input_ids"], output_names=["logits"])


class Logits(nn.Module):
    """input_ids [batch, seq] to logits [batch, seq, vocabulary]; a causal mask, no cache."""

    def __init__(self, model):
        super().__init__()
        self.model = model.model
        self.lm_head = model.lm_head

    def forward(self, input_ids):
        position = torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(0)
        hidden = self.model.embed_tokens(input_ids)
        rotary = self.model.rotary_emb(hidden, position_ids=position)
        zero = torch.zeros((), dtype=hidden.dtype)
        hide = torch.full((), -1e9, dtype=hidden.dtype)
        mask = torch.where(position.unsqueeze(-1) >= position.unsqueeze(1), zero, hide).unsqueeze(0)
        for layer in self.model.layers:
            hidden = layer(
                hidden, attention_mask=mask, position_embeddings=rotary, position_ids=position
            )
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return self.lm_head(self.model.norm(hidden))


class Expert(nn.Module):
    """One expert of a stacked bank as three linear layers."""

    def __init__(self, gate_up, down):
        super().__init__()
        gate, up = gate_up.chunk(2, 0)
        self.gate_proj = self.linear(gate)
        self.up_proj = self.linear(up)
        self.down_proj = self.linear(down)

    @staticmethod
    def linear(weight):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = weight.clone()
        return layer

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class ExpertLoop(nn.Module):
    """A block that visits its experts one by one: each gathers its tokens and adds its rows."""

    def __init__(self, block):
        super().__init__()
        self.gate = block.gate
        self.top_k = block.gate.top_k
        weights = zip(block.experts.gate_up_proj.data, block.experts.down_proj.data)
        self.experts = nn.ModuleList([Expert(gate_up, down) for gate_up, down in weights])

    def forward(self, hidden):
        shape = hidden.shape
        x = hidden.reshape(-1, shape[-1])
        scores = F.softmax(F.linear(x, self.gate.weight), dim=-1, dtype=torch.float)
        coefficients, chosen = torch.topk(scores, self.top_k, dim=-1)
        if self.gate.norm_topk_prob:
            coefficients = coefficients / coefficients.sum(-1, keepdim=True)
        routed = F.one_hot(chosen, num_classes=len(self.experts)).permute(2, 1, 0)
        out = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            slot, token = torch.where(routed[index])
            out = out.index_add(
                0, token, expert(x[token]) * coefficients[token, slot].unsqueeze(-1)
            )
        return out.reshape(shape)


def export_stacked(model, path):
    use_experts(model, "batched_mm")
    sizes = {
        0: torch.export.Dim("batch", min=1, max=4096),
        1: torch.export.Dim("seq", min=1, max=512),
    }
    torch.onnx.export(
        Logits(model).eval(),
        EXAMPLE,
        path,
        dynamo=True,
        dynamic_shapes={"input_ids": sizes},
        external_data=False,
        opset_version=20,
        **NAMES,
    )


def export_loop(model, path):
    for layer in model.model.layers:
        layer.mlp = ExpertLoop(layer.mlp)
    sizes = {0: "batch", 1: "seq"}
    torch.onnx.export(
        Logits(model).eval(),
        EXAMPLE,
        path,
        dynamo=False,
        dynamic_axes={"input_ids": sizes, "logits": sizes},
        opset_version=17,
        **NAMES,
    )


def main():
    name = sys.argv[1]
    architecture, _ = ARCHITECTURES[name]()
    model = architecture.from_pretrained(BUILD / "checkpoints" / name, dtype=torch.float32).eval()
    model.config._attn_implementation = "eager"
    export_stacked(model, str(BUILD / f"{name}.stacked.onnx"))
    export_loop(model, str(BUILD / f"{name}.loop.onnx"))


if __name__ == "__main__":
    main()
