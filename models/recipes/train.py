"""Trains one model on a CPU: train.py NAME [--steps N] [--seconds S] [--replay train_log.json]."""

import argparse
import json
import math
import time

import numpy as np
import torch
import torch.nn.functional as F

from architectures import ARCHITECTURES, VOCABULARY, WINDOW, use_experts
from corpus import BUILD, SOURCES

WARM_UP = 100


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=ARCHITECTURES)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--batch", type=int, default=8, help="windows a step")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--replay", help="a train_log.json whose learning rates are repeated")
    return parser.parse_args()


def build_model(name):
    architecture, config = ARCHITECTURES[name]()
    model = architecture(config)
    use_experts(model, "sorted")
    start = torch.load(BUILD / "bigram.pt")
    model.model.embed_tokens.weight.data.copy_(start["embedding"])
    model.lm_head.weight.data.copy_(start["output"])
    return model


def build_optimizer(model, rate):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [dict(params=matrices, weight_decay=0.1), dict(params=vectors, weight_decay=0.0)]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)


def learning_rates(options):
    """A cosine over the steps or the time that is left, whichever is further on."""
    if options.replay:
        with open(options.replay) as log:
            yield from json.load(log)["rates"]
        return
    for step in range(options.steps):
        if step <= WARM_UP:
            warm = time.time()
        progress = max(0, step - WARM_UP) / max(1, options.steps - WARM_UP)
        if step > WARM_UP:
            progress = max(progress, (time.time() - warm) / options.seconds)
        if progress >= 1:
            return
        cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress))
        yield options.rate * min(1, (step + 1) / WARM_UP) * cosine


def load_tokens(split):
    tokens = np.load(BUILD / "tokens.npz")
    return [torch.from_numpy(tokens[f"{source}.{split}"].astype(np.int64)) for source in SOURCES]


def draw(texts, count, generator):
    """Windows at random places, the sources by turns; one token more than the model sees."""
    windows = []
    for i in range(count):
        text = texts[i % len(texts)]
        at = torch.randint(0, len(text) - WINDOW - 1, (1,), generator=generator).item()
        windows.append(text[at : at + WINDOW + 1])
    return torch.stack(windows)


def cross_entropy(logits, targets):
    return F.cross_entropy(logits.reshape(-1, VOCABULARY), targets.reshape(-1))


@torch.no_grad()
def evaluate(model, windows=96, batch=24):
    """Nats per token on the first windows of each source's test text."""
    model.eval()
    losses = {}
    for source, text in zip(SOURCES, load_tokens("test")):
        rows = text[: windows * WINDOW].view(windows, WINDOW).split(batch)
        parts = [cross_entropy(model(input_ids=x).logits[:, :-1], x[:, 1:]).item() for x in rows]
        losses[source] = sum(parts) / len(parts)
    model.train()
    return losses


def train(model, options):
    optimizer = build_optimizer(model, options.rate)
    texts = load_tokens("train")
    generator = torch.Generator().manual_seed(99)
    used = []
    for step, rate in enumerate(learning_rates(options)):
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = draw(texts, options.batch, generator)
        out = model(input_ids=batch[:, :-1])
        loss = cross_entropy(out.logits, batch[:, 1:])
        total = loss + model.config.router_aux_loss_coef * out.aux_loss
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        used.append(rate)
        if step % 50 == 0:
            print(f"{step} loss {loss.item():.4f} balance {out.aux_loss.item():.3f}", flush=True)
    return used


def main():
    torch.set_flush_denormal(True)
    torch.manual_seed(1234)
    options = arguments()
    model = build_model(options.name)
    model.train()
    rates = train(model, options)
    folder = BUILD / "checkpoints" / options.name
    model.save_pretrained(folder)
    log = dict(
        steps=len(rates), batch=options.batch, window=WINDOW, rates=rates, test=evaluate(model)
    )
    (folder / "train_log.json").write_text(json.dumps(log, indent=1))


if __name__ == "__main__":
    main()
