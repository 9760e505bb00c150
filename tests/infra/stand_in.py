"""A stand-in for Terraform's AWS provider: the true schema, and no cloud behind it.

TF_REATTACH_PROVIDERS tells Terraform where it is served. What is computed is unknown in a plan, and made up
when the plan is applied. Of what Terraform leaves to a provider it checks one thing, that nothing is written
that is only computed; it knows no allowed values, no lengths, and no arguments that exclude each other.

A Python with requirements/checks.txt runs it: stand_in.py KIND…
"""

import json
import os
import sys
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import msgpack
from aws_schema import protocol, read_schema

Change: TypeAlias = Callable[[Any, Any], Any]
"""What becomes of an attribute of the schema and its value."""

ADDRESS = "hashicorp/aws"
REGION = "eu-central-1"
KNOWN = {
    "aws_availability_zones": {"names": [f"{REGION}{letter}" for letter in "abc"]},
    "aws_caller_identity": {"account_id": "123456789012"},
    "aws_partition": {"partition": "aws", "dns_suffix": "amazonaws.com"},
    "aws_region": {"region": REGION},
}
"""What data sources say; of any other value they make something up."""
MADE = {"aws_ecr_repository.repository_url": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}"}
"""What attributes of resources hold that others read the parts of; of any other it makes something up."""
UNKNOWN = msgpack.ExtType(0, b"\0")


class StandIn:
    """The provider's calls. A resource is a dict, or None where it is not there."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def handlers(self) -> grpc.GenericRpcHandler:
        """Return the service by the protocol's names."""
        calls = {
            "GetProviderSchema": lambda _request: self._schema,
            "ValidateProviderConfig": self._accept,
            "ConfigureProvider": self._accept,
            "ValidateResourceConfig": self._validate,
            "UpgradeResourceState": self._upgrade,
            "ReadResource": self._read,
            "PlanResourceChange": self._plan,
            "ApplyResourceChange": self._apply,
            "ValidateDataResourceConfig": self._accept,
            "ReadDataSource": self._read_data,
        }
        return grpc.method_handlers_generic_handler(
            "tfplugin6.Provider", {name: _handler(name, call) for name, call in calls.items()}
        )

    def _accept(self, _request: Any) -> dict[str, Any]:
        return {}

    def _validate(self, request: Any) -> dict[str, Any]:
        """Refuse what is written but only computed."""
        written: list[str] = []

        def note(attribute: Any, value: Any) -> None:
            if value is not None and not (attribute.required or attribute.optional):
                written.append(attribute.name)

        self._change(request.type_name, _unpack(request.config), note)
        return {
            "diagnostics": [
                {
                    "severity": protocol.Diagnostic.ERROR,
                    "summary": "Value for a read-only attribute",
                    "detail": f"{name} of {request.type_name} cannot be set.",
                }
                for name in written
            ]
        }

    def _upgrade(self, request: Any) -> dict[str, Any]:
        return {"upgraded_state": {"json": request.raw_state.json}}

    def _read(self, request: Any) -> dict[str, Any]:
        return {"new_state": request.current_state}

    def _plan(self, request: Any) -> dict[str, Any]:
        """Leave open what is computed, where Terraform proposes no value that it had."""

        def leave_open(attribute: Any, value: Any) -> Any:
            if attribute.write_only:
                return None
            return UNKNOWN if value is None and attribute.computed else value

        proposed = _unpack(request.proposed_new_state)
        return {"planned_state": _pack(self._change(request.type_name, proposed, leave_open))}

    def _apply(self, request: Any) -> dict[str, Any]:
        """Make up what is still open."""

        planned = _unpack(request.planned_state)

        def close(attribute: Any, value: Any) -> Any:
            if value != UNKNOWN:
                return value
            name = f"{request.type_name}.{attribute.name}"
            return MADE[name].format(**planned) if name in MADE else _made_up(name, attribute)

        return {"new_state": _pack(self._change(request.type_name, planned, close))}

    def _read_data(self, request: Any) -> dict[str, Any]:
        name = request.type_name

        def find(attribute: Any, value: Any) -> Any:
            if value is not None or not attribute.computed:
                return value
            known = KNOWN.get(name, {}).get(attribute.name)
            return known or _made_up(f"data.{name}.{attribute.name}", attribute)

        block = self._schema.data_source_schemas[name].block
        return {"state": _pack(_change(block, _unpack(request.config), find))}

    def _change(self, name: str, resource: Any, change: Change) -> Any:
        return _change(self._schema.resource_schemas[name].block, resource, change)


def _change(block: Any, value: Any, change: Change) -> Any:
    """Return a block with each of its attributes changed, also inside the blocks that it holds."""
    if not isinstance(value, dict):
        return value
    changed = {each.name: change(each, value.get(each.name)) for each in block.attributes}
    for nested in block.block_types:
        inside = value.get(nested.type_name)
        changed[nested.type_name] = (
            [_change(nested.block, each, change) for each in inside]
            if isinstance(inside, list)
            else _change(nested.block, inside, change)
        )
    return changed


def _made_up(name: str, attribute: Any) -> Any:
    """Return a value of an attribute's type; of a list that might have been written, nothing was meant."""
    kind = json.loads(attribute.type)
    return [] if attribute.optional and kind[0] in {"list", "set"} else _of_type(name, kind)


def _of_type(name: str, kind: Any) -> Any:
    """Return a value of a type as the protocol writes it: a text says of what it is, a list holds one."""
    simple = {"string": name, "number": 0, "bool": False}
    match kind:
        case ["object", members, *_]:
            return {member: _of_type(f"{name}.{member}", inner) for member, inner in members.items()}
        case ["list" | "set", ["object", *_] as inner]:
            return [_of_type(name, inner)]
        case ["list" | "set", _]:
            return []
        case ["map", _]:
            return {}
    return simple.get(kind)


def _unpack(value: Any) -> Any:
    return msgpack.unpackb(value.msgpack)


def _pack(value: Any) -> dict[str, bytes]:
    return {"msgpack": msgpack.packb(value)}


def _handler(name: str, call: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
    messages = getattr(protocol, name)

    def answer(request: Any, _context: grpc.ServicerContext) -> Any:
        answered = call(request)
        return messages.Response(**answered) if isinstance(answered, dict) else answered

    return grpc.unary_unary_rpc_method_handler(
        answer, messages.Request.FromString, messages.Response.SerializeToString
    )


def main(*kinds: str) -> None:
    """Print the value for TF_REATTACH_PROVIDERS, and serve until the process is stopped."""
    schema = read_schema(Path(sysconfig.get_path("purelib")), kinds)
    server = grpc.server(ThreadPoolExecutor())
    server.add_generic_rpc_handlers((StandIn(schema).handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    reattach = {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": os.getpid(),
        "Test": True,
        "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
    }
    sys.stdout.write(json.dumps({ADDRESS: reattach}) + "\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
