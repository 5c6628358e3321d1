"""Reads `template.yaml` as it is written and as SAM transforms it. The tests use both."""
import copy, functools, os, pathlib, re

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the transform wants one; it calls nothing
os.environ["SAM_CLI_TELEMETRY"] = "0"

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"


@functools.cache
def source():
    """The template as written, intrinsic functions in their long form. Not to be changed: copy it first."""
    return yaml_parse(TEMPLATE.read_text())


def transform(template):
    """What CloudFormation gets: SAM's resources replaced by plain ones. Parameters keep their Refs."""
    template = copy.deepcopy(template)
    for function in of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = "s3://bucket/code"  # where `sam deploy` puts what was built
    return Translator({}, Parser()).translate(template, parameter_values={})


@functools.cache
def transformed():
    return transform(source())


def of_type(template, kind):
    return {name: r for name, r in template["Resources"].items() if r["Type"] == kind}


def functions():
    """Logical id → properties as written; what Globals add is in the transformed template."""
    return {name: r["Properties"] for name, r in of_type(source(), "AWS::Serverless::Function").items()}


def routes():
    """[(method, path, function)] from the functions' events."""
    return [(e["Properties"]["Method"].upper(), e["Properties"]["Path"], name)
            for name, p in functions().items() for e in p.get("Events", {}).values()]


def references(value):
    """Logical ids and parameters that a piece of template names."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item.split(".")[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                text, own = (item, {}) if isinstance(item, str) else item
                yield from (n.split(".")[0] for n in re.findall(r"\$\{([^!}][^}]*)\}", text) if n.split(".")[0] not in own)
                yield from references(own)
            elif key == "DependsOn":
                yield from [item] if isinstance(item, str) else item
            else:
                yield from references(item)


def cycle(template):
    """The ids of one circular dependency of resources, or nothing."""
    graph = {name: sorted(set(references(r)) & set(template["Resources"])) for name, r in template["Resources"].items()}
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name):] + [name]
        if name in done:
            return []
        path.append(name)
        for other in graph[name]:
            if found := visit(other):
                return found
        done.add(path.pop())
        return []

    return next(filter(None, map(visit, graph)), [])


def role_of(function):
    return functions()[function]["Role"]["Fn::GetAtt"][0]


def statements(function):
    """The unconditional IAM statements of a function: its role's, and those of policies that are attached to its role."""
    role = role_of(function)
    policies = list(source()["Resources"][role]["Properties"]["Policies"])
    policies += [p["Properties"] for p in of_type(source(), "AWS::IAM::Policy").values() if {"Ref": role} in p["Properties"]["Roles"]]
    return [s for p in policies for s in p["PolicyDocument"]["Statement"] if "Sid" in s]


def listed(value):
    return value if isinstance(value, list) else [value]
