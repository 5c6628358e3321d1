"""What the proxy between functions and emulator makes of a request."""
import sys, unittest

import stack

sys.path.insert(0, str(stack.ROOT / "tests/rig"))
import observe

TABLE = "arn:aws:dynamodb:eu-central-1:000000000000:table/"


def effects(target, body, path="/"):
    return list(observe.effects(target, path, body, "eu-central-1"))


class Effects(unittest.TestCase):
    def test_a_transaction_needs_the_action_of_each_of_its_items(self):
        body = {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}},
                                  {"Update": {"TableName": "a"}}, {"Delete": {"TableName": "a"}}]}
        self.assertEqual([("dynamodb:PutItem", TABLE + "a"), ("dynamodb:ConditionCheckItem", TABLE + "b"),
                          ("dynamodb:UpdateItem", TABLE + "a"), ("dynamodb:DeleteItem", TABLE + "a")],
                         effects("DynamoDB_20120810.TransactWriteItems", body))

    def test_a_batch_needs_its_action_on_each_table(self):
        self.assertEqual([("dynamodb:BatchGetItem", TABLE + "a"), ("dynamodb:BatchGetItem", TABLE + "b")],
                         effects("DynamoDB_20120810.BatchGetItem", {"RequestItems": {"a": {}, "b": {}}}))

    def test_an_index_is_a_resource_of_its_own(self):
        self.assertEqual([("dynamodb:Query", TABLE + "a/index/i")],
                         effects("DynamoDB_20120810.Query", {"TableName": "a", "IndexName": "i"}))

    def test_a_secret_is_named_or_being_made(self):
        for body in ({"SecretId": "s/app/hello/keys"}, {"Name": "s/app/hello/keys"}):
            [(_, resource)] = effects("secretsmanager.GetSecretValue", body)
            self.assertEqual("arn:aws:secretsmanager:eu-central-1:000000000000:secret:s/app/hello/keys-Aa0Bb1", resource)

    def test_a_queue_is_named_by_the_end_of_its_url(self):
        self.assertEqual([("sqs:SendMessage", "arn:aws:sqs:eu-central-1:000000000000:q")],
                         effects("AmazonSQS.SendMessage", {"QueueUrl": "http://localhost:1/000000000000/q"}))

    def test_a_function_stands_in_the_path(self):
        self.assertEqual([("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:000000000000:function:f")],
                         effects("", {}, "/2015-03-31/functions/f/invocations"))

    def test_what_is_not_known_is_not_overlooked(self):
        self.assertEqual([("unknown:Kinesis.PutRecord", "?")], effects("Kinesis.PutRecord", {}))

    def test_a_caller_without_a_name_is_nobody(self):
        observer = observe.Observer("eu-central-1")
        headers = {"x-amz-target": "DynamoDB_20120810.GetItem", "user-agent": "aws-sdk-rust/1.3 os/linux"}
        observer.saw(headers, "/", b'{"TableName":"a","Key":{"pk":{"S":"secret"}}}')
        observer.saw(headers | {"x-amz-user-agent": "aws-sdk-rust/1.3 app/CommandFunction"}, "/", b'{"TableName":"a"}')
        self.assertEqual(["CommandFunction", "nobody"], [c["function"] for c in observer.report()])
        self.assertNotIn("secret", str(observer.report()))
