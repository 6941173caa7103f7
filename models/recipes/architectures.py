"""The models' configurations, and an expert kernel that is quick on a CPU."""

import torch
import torch.nn.functional as F
from transformers import OlmoeConfig, OlmoeForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

VOCABULARY = 1024
WINDOW = 256

COMMON = dict(
    vocab_size=VOCABULARY,
    hidden_size=128,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_experts=16,
    max_position_embeddings=512,
    tie_word_embeddings=False,
    pad_token_id=None,
    bos_token_id=0,
    eos_token_id=0,
    initializer_range=0.04,
    use_cache=False,
    output_router_logits=True,
    router_aux_loss_coef=0.01,
)


def olmoe():
    """Softmax router, top 4 of 16, coefficients not rescaled."""
    return OlmoeForCausalLM, OlmoeConfig(
        **COMMON,
        num_key_value_heads=4,
        intermediate_size=96,
        num_experts_per_tok=4,
        norm_topk_prob=False,
    )


def qwen3():
    """Softmax router, top 2 of 16, coefficients rescaled to sum to one."""
    return Qwen3MoeForCausalLM, Qwen3MoeConfig(
        **COMMON,
        num_key_value_heads=2,
        head_dim=32,
        intermediate_size=256,
        moe_intermediate_size=128,
        num_experts_per_tok=2,
        norm_topk_prob=True,
        decoder_sparse_step=1,
    )


ARCHITECTURES = {"olmoe": olmoe, "qwen3": qwen3}


def sorted_experts(self, hidden, chosen, coefficients):
    """Sorts rows by expert, so that each expert is one product over the rows routed to it."""
    top_k = chosen.shape[1]
    flat = chosen.reshape(-1)
    order = torch.argsort(flat, stable=True)
    token = order // top_k
    counts = torch.bincount(flat, minlength=self.num_experts).tolist()
    gate_up, down = self.gate_up_proj.unbind(0), self.down_proj.unbind(0)
    rows = []
    for expert, x in enumerate(hidden.index_select(0, token).split(counts)):
        if x.shape[0]:
            gate, up = F.linear(x, gate_up[expert]).chunk(2, -1)
            rows.append(F.linear(F.silu(gate) * up, down[expert]))
    weighted = torch.cat(rows) * coefficients.reshape(-1)[order].unsqueeze(1)
    return torch.zeros_like(hidden).index_add(0, token, weighted.to(hidden.dtype))


ALL_EXPERTS_FUNCTIONS["sorted"] = sorted_experts


def use_experts(model, implementation):
    """Chooses how the model computes its experts."""
    for module in model.modules():
        if hasattr(module, "config"):
            module.config._experts_implementation = implementation
