"""Prints what Python's jinja2 makes of the templates in cases.jsonl, set up as transformers does."""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHAT = [
    {"role": "user", "content": "Hi there"},
    {"role": "assistant", "content": "Hello, how are you?"},
]


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
)
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = lambda f: datetime.datetime(2024, 7, 26).strftime(f)

for line in pathlib.Path(__file__).with_name("cases.jsonl").read_text().splitlines():
    template = json.loads(line)["template"]
    try:
        text = environment.from_string(template).render(
            messages=CHAT,
            tools=None,
            documents=None,
            add_generation_prompt=False,
            bos_token="<s>",
            eos_token="</s>",
        )
        print(json.dumps({"template": template, "text": text}, ensure_ascii=False))
    except Exception as e:
        print(json.dumps({"template": template, "raises": str(e)}, ensure_ascii=False))
