"""Tests what the proxy between functions and emulator records for a request."""
import sys, unittest

import stack

sys.path.insert(0, str(stack.ROOT / "tests/rig"))
import observe

TABLE = "arn:aws:dynamodb:eu-central-1:000000000000:table/"


def effects(target, body, path="/"):
    return list(observe.effects(target, path, body, "eu-central-1"))


def key(pk, sk="INSTALL"):
    return {"pk": {"S": pk}, "sk": {"S": sk}}


class Effects(unittest.TestCase):
    def test_a_transaction_needs_the_action_of_each_of_its_items_on_its_key(self):
        body = {"TransactItems": [{"Put": {"TableName": "a", "Item": key("APP#x")}},
                                  {"ConditionCheck": {"TableName": "b", "Key": key("INSTALL#x")}},
                                  {"Update": {"TableName": "a", "Key": {"pk": {"S": "CODE#x"}}, "UpdateExpression": "REMOVE install"}},
                                  {"Delete": {"TableName": "a", "Key": key("TOKEN#x")}}]}
        self.assertEqual([("dynamodb:PutItem", TABLE + "a", "APP#", ()),
                          ("dynamodb:ConditionCheckItem", TABLE + "b", "INSTALL#", ()),
                          ("dynamodb:UpdateItem", TABLE + "a", "CODE#", ("install", "pk")),
                          ("dynamodb:DeleteItem", TABLE + "a", "TOKEN#", ())],
                         effects("DynamoDB_20120810.TransactWriteItems", body))

    def test_a_batch_needs_its_action_on_each_key_of_each_table(self):
        body = {"RequestItems": {"a": {"Keys": [key("INSTALL#x"), key("APPS", "APPS")]}, "b": {"Keys": [key("TOKEN#x")]}}}
        self.assertEqual([("dynamodb:BatchGetItem", TABLE + "a", "INSTALL#", ()), ("dynamodb:BatchGetItem", TABLE + "a", "APPS", ()),
                          ("dynamodb:BatchGetItem", TABLE + "b", "TOKEN#", ())],
                         effects("DynamoDB_20120810.BatchGetItem", body))
        body = {"RequestItems": {"a": [{"PutRequest": {"Item": key("A#x")}}, {"DeleteRequest": {"Key": key("B#x")}}]}}
        self.assertEqual([("dynamodb:BatchWriteItem", TABLE + "a", "A#", ()), ("dynamodb:BatchWriteItem", TABLE + "a", "B#", ())],
                         effects("DynamoDB_20120810.BatchWriteItem", body))

    def test_a_query_needs_the_partition_that_it_names(self):
        body = {"TableName": "a", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":pk": {"S": "APP#x"}, ":sk": {"S": "SITE#"}}}
        self.assertEqual([("dynamodb:Query", TABLE + "a", "APP#", ())], effects("DynamoDB_20120810.Query", body))

    def test_an_update_needs_each_attribute_that_it_names(self):
        body = {"TableName": "a", "Key": {"pk": {"S": "DO#x"}}, "UpdateExpression": "SET #work = :end, exp = if_not_exists(exp, :exp)",
                "ConditionExpression": "attribute_exists(pk) AND lease <= :now AND #work IN (:running, :end)",
                "ExpressionAttributeNames": {"#work": "work"}}
        self.assertEqual([("dynamodb:UpdateItem", TABLE + "a", "DO#", ("exp", "lease", "pk", "work"))],
                         effects("DynamoDB_20120810.UpdateItem", body))

    def test_an_index_is_a_resource_of_its_own(self):
        self.assertEqual([("dynamodb:Query", TABLE + "a/index/i", "?", ())],
                         effects("DynamoDB_20120810.Query", {"TableName": "a", "IndexName": "i"}))

    def test_a_secret_is_named_or_being_made(self):
        for body in ({"SecretId": "s/app/hello/keys"}, {"Name": "s/app/hello/keys"}):
            [(_, resource, _, _)] = effects("secretsmanager.GetSecretValue", body)
            self.assertEqual("arn:aws:secretsmanager:eu-central-1:000000000000:secret:s/app/hello/keys-Aa0Bb1", resource)

    def test_a_queue_is_named_by_the_end_of_its_url(self):
        self.assertEqual([("sqs:SendMessage", "arn:aws:sqs:eu-central-1:000000000000:q", "", ())],
                         effects("AmazonSQS.SendMessage", {"QueueUrl": "http://localhost:1/000000000000/q"}))

    def test_a_function_stands_in_the_path(self):
        self.assertEqual([("lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:000000000000:function:f", "", ())],
                         effects("", {}, "/2015-03-31/functions/f/invocations"))

    def test_what_is_not_known_is_not_overlooked(self):
        self.assertEqual([("unknown:Kinesis.PutRecord", "?", "", ())], effects("Kinesis.PutRecord", {}))

    def test_a_caller_without_a_name_is_nobody(self):
        observer = observe.Observer("eu-central-1")
        headers = {"x-amz-target": "DynamoDB_20120810.GetItem", "user-agent": "aws-sdk-rust/1.3 os/linux"}
        observer.saw(headers, "/", b'{"TableName":"a","Key":{"pk":{"S":"CODE#secret"}}}')
        observer.saw(headers | {"x-amz-user-agent": "aws-sdk-rust/1.3 app/CommandFunction"}, "/", b'{"TableName":"a"}')
        self.assertEqual(["CommandFunction", "nobody"], [c["function"] for c in observer.report()])
        self.assertNotIn("secret", str(observer.report()))
