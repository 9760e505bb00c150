"""The schema of Terraform's AWS provider, read out of its bindings for Python.

The package cdktn-provider-aws is generated from the provider's own schema. Its modules carry the TypeScript
that they were compiled from, which tells every argument's type, and whether it is required, optional or
computed; nothing of allowed values, of arguments that exclude each other, of what forces a replacement.
A block that holds itself, as WAF's statements do, the bindings leave open: it is left out here, so that a
configuration that writes one is refused. aws_wafv2_web_acl takes its rules in rule_json all the same.
Five resources have names in the bindings that are not found here, among them those of Lex and MediaLive.
"""

import base64
import json
import re
import tarfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import grpc

protocol: Any = grpc.protos("provider.proto")

_PART = re.compile(r"^export (?:interface|class|function) (\w+)(.*?)^}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"/\*\*((?:(?!\*/).)*)\*/\s*readonly \w+(\??):", re.DOTALL)
_ANCHOR = re.compile(r"\{@link \S+#([\w-]+) ")
_FLAGS = re.compile(r"^  // ([\w-]+) - computed: (true|false), .*$", re.MULTILINE)
_HCL = re.compile(
    r"^ +([\w-]+): \{\s*value: (.*),\s*isBlock: (?:true|false),"
    r'\s*type: "(\w+)",\s*storageClassType: "(\w+)",',
    re.MULTILINE,
)
_OBJECTS = re.compile(r'new (\w+)(List|Map|OutputReference)\(this, "[\w-]+"(?:, (true|false))?')
_SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_READ_ONLY = {
    "cdktn.StringMap(": ["map", "string"],
    "cdktn.NumberMap(": ["map", "number"],
    "cdktn.BooleanMap(": ["map", "bool"],
    "getStringMapAttribute(": ["map", "string"],
    "Fn.tolist(this.getListAttribute(": ["set", "string"],
    "Fn.tolist(this.getNumberListAttribute(": ["set", "number"],
    "getNumberListAttribute(": ["list", "number"],
    "getListAttribute(": ["list", "string"],
    "getStringAttribute(": "string",
    "getNumberAttribute(": "number",
    "getBooleanAttribute(": "bool",
}
"""How a class reads what is computed alone, and its type."""


def read_schema(packages: Path, kinds: Collection[str]) -> Any:
    """Return the answer to GetProviderSchema, with the provider and those of these kinds that it has.

    Args:
        packages: the folder that cdktn-provider-aws is installed in.
        kinds: resources such as `aws_ssm_parameter`, and data sources such as `data.aws_region`.
    """
    answer = protocol.GetProviderSchema.Response()
    folders = {name.removeprefix("aws_").replace(".", "_").replace("_", "-"): name for name in kinds}
    for folder, text in _sources(packages, {"provider", *folders}):
        block = _Source(text).read()
        if folder == "provider":
            schema = answer.provider
        elif (name := folders[folder]).startswith("data."):
            schema = answer.data_source_schemas[name.removeprefix("data.")]
        else:
            schema = answer.resource_schemas[name]
        schema.block.CopyFrom(block)
    return answer


def _sources(packages: Path, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give the TypeScript of each folder; it stands behind the JavaScript, as its source map."""
    (bundle,) = packages.glob("cdktn_provider_aws/_jsii/*.jsii.tgz")
    with tarfile.open(bundle) as archive:
        for member in archive:
            path = Path(member.name)
            script = archive.extractfile(member) if path.name == "index.js" else None
            if script is not None and path.parent.name in folders:
                source_map = base64.b64decode(script.read().rpartition(b"base64,")[2].strip())
                yield path.parent.name, "\n".join(json.loads(source_map)["sourcesContent"])


class _Source:
    """The TypeScript of a resource, or of the provider."""

    def __init__(self, text: str) -> None:
        self._parts: dict[str, str] = dict(_PART.findall(text))

    def read(self) -> Any:
        """Return the block of the resource or provider itself."""
        (name,) = (
            name
            for name, text in self._parts.items()
            if re.match(r" extends cdktn\.Terraform(Resource|DataSource|Provider) ", text)
        )
        # The A is there where another interface of the bindings has the name already.
        interface = self._parts.get(f"{name}Config") or self._parts[f"{name}ConfigA"]
        return self._block(interface, self._parts[name], self._parts[name])

    def _block_of(self, name: str) -> Any:
        """Return what lies inside a resource: a block, or the attributes of an object."""
        conversion = f"{name[0].lower()}{name[1:]}ToHclTerraform"
        reference = self._parts.get(f"{name}OutputReference", "")
        return self._block(self._parts[name], reference, self._parts.get(conversion, ""))

    def _block(self, interface: str, reference: str, conversion: str) -> Any:
        """Join what can be written, of the interface, with its types, and with what the class reads."""
        block = protocol.Schema.Block()
        types = {name: rest for name, *rest in _HCL.findall(conversion)}
        _, *flags = _FLAGS.split(reference)
        computed = {name: read for name, flag, read in zip(*[iter(flags)] * 3, strict=True) if flag == "true"}
        for comment, optional in _MEMBER.findall(interface):
            name = _ANCHOR.findall(comment)[-1]
            if "* Alias name\n" in comment:  # Terraform's own
                continue
            if f"* {name} block\n" in comment:
                self._add_nested(block, name, types[name], required=not optional)
                continue
            block.attributes.add(
                name=name,
                type=json.dumps(self._type(*types[name][1:])).encode(),
                required=not optional,
                optional=bool(optional),
                computed=computed.pop(name, None) is not None,
                write_only=name.endswith("_wo"),  # so the provider calls them, and no others
            )
        for name, read in computed.items():
            block.attributes.add(name=name, type=json.dumps(self._read_only(read)).encode(), computed=True)
        return block

    def _add_nested(self, block: Any, name: str, types: list[str], *, required: bool) -> None:
        value, kind, storage = types
        if storage == "any":  # it holds itself, and the bindings do not tell what
            return
        nesting = {"struct": "SINGLE", "list": "LIST", "set": "SET"}[kind]
        block.block_types.add(
            type_name=name,
            block=self._block_of(storage if kind == "struct" else storage.removesuffix("List")),
            nesting=getattr(protocol.Schema.NestedBlock, nesting),
            min_items=int(required and kind != "struct"),
            max_items=int(kind != "struct" and "listMapper" not in value),
        )

    def _type(self, kind: str, storage: str) -> Any:
        if kind == "simple":
            return _SCALARS[storage]
        if kind == "struct":
            return self._object(storage)
        element = storage.removesuffix("Map" if kind == "map" else "List")
        if inner := re.fullmatch(r"(?:string|number|boolean)(List|Map)", element):
            return [kind, self._type(inner[1].lower(), element)]
        return [kind, _SCALARS.get(element) or self._object(element)]

    def _read_only(self, read: str) -> Any:
        for getter, kind in _READ_ONLY.items():
            if getter in read:
                return kind
        if found := _OBJECTS.search(read):
            inside = self._object(found[1])
            if found[2] == "OutputReference":
                return inside
            return ["map" if found[2] == "Map" else "set" if found[3] == "true" else "list", inside]
        return "dynamic"

    def _object(self, name: str) -> Any:
        inside = self._block_of(name).attributes
        return ["object", {attribute.name: json.loads(attribute.type) for attribute in inside}]
