"""A proxy between functions and the AWS emulator, which records which function made which call to which resource.

The user agent of each AWS call names the function (`app/CommandFunction`). The recorded calls are then compared with the IAM
statements of the template. The emulator does not enforce these, so only this comparison shows that they allow all calls and
nothing else. From a body the proxy keeps the names of tables, secrets and queues, the kinds of partition keys (`CODE#` of
`CODE#1f2e…`) and the attributes that an update names. It keeps no value of an item or secret.
"""
import contextlib, http.client, http.server, json, re, threading, urllib.parse

ACCOUNT = "000000000000"  # the emulator's
SERVICES = {"DynamoDB_20120810": "dynamodb", "secretsmanager": "secretsmanager", "AmazonSQS": "sqs", "TrentService": "kms"}
# IAM has no action for a transaction; each of its parts needs the action of the same name.
TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
               "Get": "GetItem"}


# The words of expressions that are not attributes.
WORDS = {"SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN", "attribute_exists", "attribute_not_exists",
         "attribute_type", "begins_with", "contains", "size", "if_not_exists", "list_append"}


def kind(key):
    """The prefix of a partition key, which is all that IAM checks. The rest can be the hash of a secret."""
    text = key.get("pk", {}).get("S", "?")
    return text[:text.index("#") + 1] if "#" in text else text


def attributes(update):
    """The attributes that an update names: its key's, and those in its expressions."""
    text = " ".join(update.get(name) or "" for name in ("UpdateExpression", "ConditionExpression"))
    names = update.get("ExpressionAttributeNames") or {}
    found = {names.get(word, word) for word in re.findall(r"(?<![:#\w])#?[A-Za-z_]\w*", text) if word not in WORDS}
    return tuple(sorted(found | set(update.get("Key", {}))))


def key_of(operation, what):
    """(kind of partition key, attributes) of a request for one item, or of a query."""
    if operation == "Query":
        return kind({"pk": (what.get("ExpressionAttributeValues") or {}).get(":pk", {})}), ()
    if operation == "UpdateItem":
        return kind(what.get("Key", {})), attributes(what)
    return kind(what.get("Item") or what.get("Key") or {}), ()


def effects(target, path, body, region):
    """What a request needs to be allowed: (action, resource, kind of key, attributes), as IAM names them. The last two are
    empty where IAM knows none."""
    prefix, _, operation = target.partition(".")
    service = SERVICES.get(prefix)
    arn = lambda service, name: f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"
    if service == "dynamodb":
        table = lambda name: arn("dynamodb", f"table/{name}")
        if operation in ("TransactWriteItems", "TransactGetItems"):
            for item in body.get("TransactItems", []):
                for verb, what in item.items():
                    verb = TRANSACTION[verb]
                    yield f"dynamodb:{verb}", table(what["TableName"]), *key_of(verb, what)
        elif operation == "BatchGetItem":
            for name, wanted in body.get("RequestItems", {}).items():
                for key in wanted.get("Keys", []):
                    yield f"dynamodb:{operation}", table(name), kind(key), ()
        elif operation == "BatchWriteItem":
            for name, wanted in body.get("RequestItems", {}).items():
                for write in wanted:
                    for what in write.values():
                        yield f"dynamodb:{operation}", table(name), *key_of(operation, what)
        else:
            index = f"/index/{body['IndexName']}" if body.get("IndexName") else ""
            yield f"dynamodb:{operation}", table(body.get("TableName", "?")) + index, *key_of(operation, body)
    elif service == "secretsmanager":
        name = body.get("SecretId") or body.get("Name") or "?"
        # AWS adds a dash and six random characters to the ARN of a secret.
        yield f"secretsmanager:{operation}", name if name.startswith("arn:") else arn("secretsmanager", f"secret:{name}-Aa0Bb1"), "", ()
    elif service == "sqs":
        yield f"sqs:{operation}", arn("sqs", urllib.parse.urlparse(body.get("QueueUrl", "?")).path.rsplit("/", 1)[-1]), "", ()
    elif service:
        yield f"{service}:{operation}", body.get("KeyId", "?"), "", ()
    elif function := re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", path):
        yield "lambda:InvokeFunction", arn("lambda", f"function:{urllib.parse.unquote(function[1])}"), "", ()
    else:
        yield f"unknown:{target or path}", "?", "", ()


class Observer:
    """The calls that were seen: {(function, action, resource, kind of key, attributes): how often}."""

    def __init__(self, region):
        self.region, self.calls, self.lock = region, {}, threading.Lock()

    def saw(self, headers, path, body):
        agents = " ".join(headers.get(name, "") for name in ("x-amz-user-agent", "user-agent"))
        named = re.search(r"\bapp/(\w+)", agents)
        try:
            decoded = json.loads(body) if body else {}
        except ValueError:
            decoded = {}
        with self.lock:
            for effect in effects(headers.get("x-amz-target", ""), path, decoded, self.region):
                key = (named[1] if named else "nobody", *effect)
                self.calls[key] = self.calls.get(key, 0) + 1

    def report(self):
        return [{"function": f, "action": a, "resource": r, "key": k, "attributes": list(names), "times": n}
                for (f, a, r, k, names), n in sorted(self.calls.items())]


@contextlib.contextmanager
def proxy(host, port, upstream, observer):
    """Serves `http://host:port` as a proxy of `upstream` (host:port), and tells `observer` about each request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            observer.saw({k.lower(): v for k, v in self.headers.items()}, self.path, body)
            onward = http.client.HTTPConnection(upstream, timeout=60)
            try:
                onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding"):
                        onward.putheader(name, value)
                onward.endheaders(body)
                answer = onward.getresponse()
                content = answer.read()
            except OSError as error:  # as a load balancer would
                self.send_error(502, str(error))
                return
            finally:
                onward.close()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = forward

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
