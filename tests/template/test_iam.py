"""Tests the comparison of statements and calls, and compares the calls of the last deployed run if there was one."""
import copy, json, os, unittest

import iam, stack


def exactly_what_is_allowed():
    """An observation in which each function made each call that it may make, once."""
    seen = {"region": "us-east-1", "account": "0", "stack": "local",
            "resources": {name: f"local-{name}" for name in stack.source()["Resources"]}, "calls": []}
    for function in stack.functions():
        for effect, _, action, arn, key, attributes in iam.rights(function, seen):
            if effect == "Allow":
                concrete = arn.replace("*", "hello").replace("??????", "Aa0Bb1")
                seen["calls"].append({"function": function, "action": action, "resource": concrete, "times": 1,
                                      "key": (key or "").replace("*", ""), "attributes": attributes or []})
    return seen


class Comparison(unittest.TestCase):
    def test_a_run_that_did_all_it_may_and_no_more_has_no_difference(self):
        self.assertEqual([], list(iam.compare(exactly_what_is_allowed())))

    def test_a_statement_that_nothing_used_is_named(self):
        whole = exactly_what_is_allowed()
        for call in whole["calls"]:
            less = dict(whole, calls=[c for c in whole["calls"] if c is not call])
            [difference] = iam.compare(less)
            self.assertIn(call["action"], difference)
            self.assertIn(call["function"], difference)

    def test_a_call_that_no_statement_allows_is_named(self):
        for field, value in [("action", "dynamodb:Scan"), ("resource", "arn:aws:dynamodb:us-east-1:0:table/other"),
                             ("function", "nobody"), ("function", "DeliverFunction")]:
            more = exactly_what_is_allowed()
            only = next(call for call in more["calls"] if call["action"] == "secretsmanager:CreateSecret")
            more["calls"].append(copy.copy(only) | {field: value})
            [difference] = iam.compare(more)
            self.assertIn("AWS would refuse", difference)

    def test_a_key_that_no_statement_names_is_named(self):
        tried = {("CommandFunction", "PutItem"): "CODE#", ("DeliverFunction", "PutItem"): "CODE#", ("DeliverFunction", "DeleteItem"): "APPS"}
        for (function, verb), key in tried.items():
            more = exactly_what_is_allowed()
            allowed = next(c for c in more["calls"] if c["function"] == function and c["action"] == f"dynamodb:{verb}")
            more["calls"].append(allowed | {"key": key})
            [difference] = iam.compare(more)
            self.assertIn(f"{key} (1 times), which no statement", difference)

    def test_an_update_of_an_attribute_that_no_statement_names_is_named(self):
        more = exactly_what_is_allowed()
        bound = next(c for c in more["calls"] if c["function"] == "DeliverFunction" and c["key"] == "CODE#")
        more["calls"].append(bound | {"attributes": [*bound["attributes"], "site"]})
        [difference] = iam.compare(more)
        self.assertIn("site", difference)

    def test_a_call_of_one_of_the_stacks_own_functions_is_denied_whatever_the_prefix_is(self):
        for function in ("CommandFunction", "DeliverFunction", "InstallFunction"):
            for own in stack.functions():
                for qualifier in ("", ":1", ":$LATEST"):
                    more = exactly_what_is_allowed()
                    # As if the prefix covered the stack.
                    more["resources"][own] = "cloud-app-itself"
                    allowed = next(c for c in more["calls"] if (c["function"], c["action"]) == (function, "lambda:InvokeFunction"))
                    arn = f"arn:aws:lambda:us-east-1:0:function:cloud-app-itself{qualifier}"
                    more["calls"].append(allowed | {"resource": arn})
                    [difference] = iam.compare(more)
                    self.assertIn("denies", difference)

    def test_a_secret_of_another_stack_is_not_covered(self):
        more = exactly_what_is_allowed()
        more["calls"].append({"function": "CommandFunction", "action": "secretsmanager:GetSecretValue", "times": 1,
                              "resource": "arn:aws:secretsmanager:us-east-1:0:secret:other/app/hello/keys-Aa0Bb1", "key": "",
                              "attributes": []})
        self.assertEqual(1, len(list(iam.compare(more))))


OBSERVATION = os.environ.get("CLOUD_APPS_OBSERVATION")
if OBSERVATION:
    class Observed(unittest.TestCase):
        def test_what_functions_did_is_what_their_statements_allow_both_ways(self):
            with open(OBSERVATION) as file:
                seen = json.load(file)
            self.assertTrue(seen["calls"], "nothing was observed: the functions did not go through the proxy")
            differences = list(iam.compare(seen))
            if differences:
                self.fail("\n".join(["the statements are not what the functions did:", *differences]))
