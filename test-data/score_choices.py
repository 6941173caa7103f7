"""Scores multiple-choice items by lm-evaluation-harness itself; ONNX Runtime runs the model.

    python score_choices.py model.onnx tokenizer.json items.jsonl 256 -o expected.jsonl

Needs lm-eval (0.4.13), onnxruntime and what they need. The model takes `input_ids` and gives
`logits`; 256 stands for the most tokens in a row that it takes. Writes a line an item, as
`mone-onnx eval --tasks ITEMS --samples FILE` does.
"""

import argparse
import json
import types

import numpy
import onnxruntime
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import PreTrainedTokenizerFast


class OnnxModel(HFLM):
    """The harness's own encoding, batching and scoring around a session of ONNX Runtime."""

    def __init__(self, model, tokenizer, longest):
        self.tokenizer = PreTrainedTokenizerFast(
            tokenizer_file=tokenizer, eos_token="<|endoftext|>"
        )
        self.backend = "causal"
        self.batch_size_per_gpu = 4
        self.logits_cache = True
        self.enable_thinking = False
        self.add_bos_token = None
        self.custom_prefix_token_id = None
        self.softmax_dtype = None
        self.cache_hook = types.SimpleNamespace(add_partial=lambda *_: None)
        self._max_length = longest
        self._device = torch.device("cpu")
        self._rank = 0
        self._world_size = 1
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    @property
    def batch_size(self):
        return self.batch_size_per_gpu

    def _model_call(self, inps, attn_mask=None, labels=None):
        return torch.from_numpy(self._session.run(["logits"], {"input_ids": inps.numpy()})[0])


def requests(item):
    contexts = item["context"]
    for index, choice in enumerate(item["choices"]):
        context = contexts[index] if isinstance(contexts, list) else contexts
        pair = (context, item.get("delimiter", " ") + choice)
        yield Instance("loglikelihood", item, pair, index)


def answer(item, likelihoods):
    found = numpy.array(likelihoods)
    lengths = numpy.array([float(len(choice)) for choice in item["choices"]])
    chosen, by_length = int(numpy.argmax(found)), int(numpy.argmax(found / lengths))
    return {
        "logLikelihoods": likelihoods,
        "lengths": [int(length) for length in lengths],
        "chosen": chosen,
        "chosenByLength": by_length,
        "acc": int(chosen == item["label"]),
        "acc_norm": int(by_length == item["label"]),
    }


def main():
    parser = argparse.ArgumentParser(description="Scores items by lm-evaluation-harness.")
    parser.add_argument("model")
    parser.add_argument("tokenizer")
    parser.add_argument("items")
    parser.add_argument("longest", type=int)
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    with open(arguments.items, encoding="utf-8") as file:
        items = [json.loads(line) for line in file if line.strip()]
    model = OnnxModel(arguments.model, arguments.tokenizer, arguments.longest)
    asked = [request for item in items for request in requests(item)]
    found = iter(model.loglikelihood(asked, disable_tqdm=True))
    with open(arguments.output, "w", encoding="utf-8") as file:
        for item in items:
            likelihoods = [next(found)[0] for _ in item["choices"]]
            file.write(json.dumps(answer(item, likelihoods)) + "\n")


if __name__ == "__main__":
    main()
