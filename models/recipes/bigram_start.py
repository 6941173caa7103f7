"""First values of both embeddings: softmax(W rmsnorm(E_a)) fitted to the corpus' bigram counts."""

import math

import numpy as np
import torch

from architectures import VOCABULARY as V
from corpus import BUILD, SOURCES

HIDDEN = 128
STEPS = 300


def bigram_shares():
    tokens = np.load(BUILD / "tokens.npz")
    counts = np.zeros(V * V)
    for source in SOURCES:
        ids = tokens[f"{source}.train"].astype(np.int64)
        counts += np.bincount(ids[:-1] * V + ids[1:], minlength=V * V)
    return torch.from_numpy((counts / counts.sum()).reshape(V, V)).float()


def rms_norm(x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)


def fit(shares):
    embedding = (torch.randn(V, HIDDEN) * 0.5).requires_grad_()
    output = (torch.randn(V, HIDDEN) * 0.04).requires_grad_()
    optimizer = torch.optim.Adam([embedding, output], betas=(0.9, 0.98))
    rows = shares.sum(1)
    for step in range(STEPS):
        warm_up = min(1, (step + 1) / 20)
        for group in optimizer.param_groups:
            group["lr"] = 0.03 * warm_up * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        logits = rms_norm(embedding) @ output.T
        loss = (rows * logits.logsumexp(1)).sum() - (shares * logits).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"{step} {loss.item():.4f}", flush=True)
    return {"embedding": rms_norm(embedding).detach(), "output": output.detach()}


if __name__ == "__main__":
    torch.manual_seed(7)
    torch.save(fit(bigram_shares()), BUILD / "bigram.pt")
