"""The sandbox in which a chat template runs; it needs jinja2."""

from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Sandbox(ImmutableSandboxedEnvironment):
    """What is not the template's ends it. jinja2 itself gives an undefined value, which
    prints as nothing."""

    around = ("", "")  # what stands at both ends of a {% generation %}

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(f"the attribute {attribute!r} of a {type(obj).__name__}")


class Generation(Extension):
    """{% generation %} … {% endgeneration %}: what the model is to write."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 has it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(line)

    def _written(self, caller: Any) -> str:
        before, after = self.environment.around  # type: ignore[attr-defined]
        return f"{before}{caller()}{after}"
