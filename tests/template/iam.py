"""Compares IAM statements with the calls of functions (`tests/rig/with_stack.py --observe`), in both directions. A call that
no statement allows fails on AWS. A statement that no call needs is a right that only an attacker could use."""
import fnmatch, re

import stack

# What the platform does in the name of a function's role; the function's own calls never show it.
PLATFORM = {"Consumer": "Lambda polls the queues", "Logs": "Lambda writes the log"}


def arns(resource, seen):
    """The ARN patterns that a statement's `Resource` becomes in the observed stack."""
    base = lambda service: f"arn:aws:{service}:{seen['region']}:{seen['account']}:"
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        logical = resource["Fn::GetAtt"][0]
        kind, physical = stack.source()["Resources"][logical]["Type"], seen["resources"][logical]
        if kind == "AWS::DynamoDB::Table":
            return base("dynamodb") + "table/" + physical
        if kind == "AWS::SQS::Queue":
            return base("sqs") + physical.rsplit("/", 1)[-1]
        if kind == "AWS::Serverless::Function":
            return base("lambda") + "function:" + physical
        raise ValueError(f"the ARN of a {kind} is not known here: add it")
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        pseudo = {"AWS::Partition": "aws", "AWS::Region": seen["region"], "AWS::AccountId": seen["account"],
                  "AWS::StackName": seen["stack"]}
        pseudo |= {name: p["Default"] for name, p in stack.source()["Parameters"].items() if "Default" in p}
        pseudo |= {f"{name}.Arn": arns({"Fn::GetAtt": [name, "Arn"]}, seen) for name in stack.functions()}
        return re.sub(r"\$\{([^}]+)\}", lambda m: pseudo[m[1]], resource["Fn::Sub"])
    raise ValueError(f"{resource!r} is not a resource that this test can read")


def conditions(statement):
    """(patterns of partition keys, attributes) to which a statement is limited; `None` if it is not limited."""
    bound = dict(statement.get("Condition", {}))
    keys = bound.pop("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
    attributes = bound.pop("ForAllValues:StringEquals", {}).get("dynamodb:Attributes")
    if bound:
        raise ValueError(f"{bound!r} is not a condition that this test can read")
    return keys and stack.listed(keys), attributes and stack.listed(attributes)


def rights(function, seen):
    """What a function is allowed and denied: (effect, Sid, action, ARN pattern, key pattern, attributes)."""
    for statement in stack.statements(function):
        if statement["Sid"] in PLATFORM:
            continue
        keys, attributes = conditions(statement)
        for action in stack.listed(statement["Action"]):
            for resource in stack.listed(statement["Resource"]):
                for key in keys or [None]:
                    yield statement["Effect"], statement["Sid"], action, arns(resource, seen), key, attributes


def covers(right, call):
    """Whether a right is about a call."""
    _, _, action, arn, key, attributes = right
    return (action == call["action"] and fnmatch.fnmatchcase(call["resource"], arn)
            and (key is None or fnmatch.fnmatchcase(call.get("key", ""), key))
            and (attributes is None or set(call.get("attributes", [])) <= set(attributes)))


def compare(seen):
    """A sentence for each difference; empty if the statements allow exactly what is needed."""
    every = {function: list(rights(function, seen)) for function in stack.functions()}
    used = set()
    for call in seen["calls"]:
        about = [right for right in every.get(call["function"], []) if covers(right, call)]
        what = f"{call['function']} called {call['action']} on {call['resource']} {call.get('key', '')}"
        what += f" ({', '.join(call['attributes'])})" if call.get("attributes") else ""
        if any(right[0] == "Deny" for right in about):
            yield f"{what} ({call['times']} times), which a statement denies: AWS would refuse"
        elif not about:
            yield f"{what} ({call['times']} times), which no statement of its role allows: AWS would refuse"
        used.update((call["function"], *right[:5]) for right in about)
    for function, all_of_it in every.items():
        for effect, sid, action, arn, key, _ in all_of_it:
            if effect == "Allow" and (function, effect, sid, action, arn, key) not in used:
                yield (f"{function} may {action} on {arn} {key or ''} (statement {sid}), but never did: remove it, or let a test "
                       "of the deployed stack use it")
