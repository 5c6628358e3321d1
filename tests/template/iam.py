"""Compares IAM statements with what functions were seen to do (`tests/rig/with_stack.py --observe`), both ways: a call that
no statement allows fails on AWS; a statement that no call needs is a right that somebody who takes a function over would have."""
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
        raise ValueError(f"the ARN of a {kind} is not known here: add it")
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        pseudo = {"AWS::Partition": "aws", "AWS::Region": seen["region"], "AWS::AccountId": seen["account"],
                  "AWS::StackName": seen["stack"]}
        pseudo |= {name: p["Default"] for name, p in stack.source()["Parameters"].items() if "Default" in p}
        return re.sub(r"\$\{([^}]+)\}", lambda m: pseudo[m[1]], resource["Fn::Sub"])
    raise ValueError(f"{resource!r} is not a resource that this test can read")


def compare(seen):
    """Sentences, one for each difference; none when the statements are exactly what is needed."""
    allowed = {}  # (function, action, pattern) → Sid
    for function in stack.functions():
        for statement in stack.statements(function):
            if statement["Sid"] in PLATFORM:
                continue
            for action in stack.listed(statement["Action"]):
                for resource in stack.listed(statement["Resource"]):
                    allowed[function, action, arns(resource, seen)] = statement["Sid"]
    used = set()
    for call in seen["calls"]:
        matching = [key for key in allowed
                    if key[:2] == (call["function"], call["action"]) and fnmatch.fnmatchcase(call["resource"], key[2])]
        used.update(matching)
        if not matching:
            yield (f"{call['function']} called {call['action']} on {call['resource']} ({call['times']} times), "
                   "which no statement of its role allows: AWS would refuse")
    for (function, action, pattern), sid in allowed.items():
        if (function, action, pattern) not in used:
            yield (f"{function} may {action} on {pattern} (statement {sid}), but never did: remove it, or let a test of "
                   "the deployed stack use it")
