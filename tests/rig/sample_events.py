#!/usr/bin/env python3
"""Writes `events/`: the sample world (`env.json`) and one Lambda event per kind of request that makes sense in it.

    tests/rig/sample_events.py            write the files
    tests/rig/sample_events.py --check    fail when the committed files differ from what would be written

The files are committed. Their time is fixed: under `sam local` a function that was given a sample world takes the event's
own clock, so a token never expires. Nothing here is secret; every value says that it is a sample.
"""
import base64, hashlib, hmac, json, pathlib, sys
from urllib.parse import urlencode

EVENTS = pathlib.Path(__file__).resolve().parents[2] / "events"

AT = 1_795_348_800_000  # 2026-11-22T12:00:00Z
TIME = "22/Nov/2026:12:00:00 +0000"
ROOT = b"SAMPLE-ROOT-anybody-can-read-it!"
INSTALL, TEAM, CHANNEL = "sampleinstallsampleinstall", "sampleteamsampleteamsample", "samplechannelsamplechannel"
ALICE, BOB, BOT = "samplealicesamplealicesamp", "samplebobsamplebobsamplebo", "samplebotsamplebotsamplebo"
SITE = "http://mattermost.sample"
VERSION = "11.6.0"

WORLD = {
    "ring": {"v": 1, "app": "hello", "keys": [{
        "id": "1", "root": base64.urlsafe_b64encode(ROOT).decode().rstrip("="),
        "created_at": 0, "use_from": 0, "state": "live"}]},
    "install": {
        "install_id": INSTALL, "app": "hello", "key": "1", "generation": 1,
        "site_url": SITE, "server_version": VERSION, "base_url": "http://127.0.0.1:3000", "installed_by": ALICE,
        "bot": {"user_id": BOT, "username": "hello", "access_token": "samplebottokensamplebottok"},
        "team_id": TEAM, "trigger": "hello", "slash_token": "sampleslashsampleslashsamp",
        "channel_id": CHANNEL, "webhook_token": "samplehooksamplehooksample",
        "static_token": "samplestaticsamplestaticsa"},
    "mattermost": {
        "team": {"id": TEAM, "name": "sample"},
        "channel": {"id": CHANNEL, "name": "town-square"},
        "users": [{"id": ALICE, "username": "alice"}, {"id": BOB, "username": "bob"}]},
}


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def shared_secret(root, app, install, generation):
    """HKDF-SHA256 (RFC 5869, no salt); each part of the info is led by its length as four big-endian bytes."""
    info = b"".join(len(p).to_bytes(4, "big") + p
                    for p in (b"shared_secret", app.encode(), install.encode(), str(generation).encode()))
    key = hmac.digest(bytes(32), root, "sha256")
    return hmac.digest(key, info + b"\x01", "sha256")


def token(method, route, body, subject, scope, jti):
    """A JWT of the sample's Mattermost server."""
    header = {"alg": "HS256", "typ": "cloud-apps+jwt", "kid": f"hello.1.{INSTALL}.1"}
    claims = {"iss": SITE, "aud": "hello", "sub": subject, "iat": AT // 1000, "exp": AT // 1000 + 60,
              "jti": base64url(jti.ljust(16, "-").encode()), "htm": method, "htp": route, "scope": scope,
              "body_sha256": base64url(hashlib.sha256(body).digest())}
    signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    mac = hmac.digest(shared_secret(ROOT, "hello", INSTALL, 1), signed.encode(), "sha256")
    return f"Bearer {signed}.{base64url(mac)}"


def trigger_id():
    """As Mattermost makes them: id, user, time in ms, signature."""
    parts = ["sampletriggersampletrigger", ALICE, str(AT), base64.b64encode(b"sample signature").decode()]
    return base64.b64encode(":".join(parts).encode()).decode()


def http(method, route, *, body=None, kind=None, authorization=None, parameters=None, agent="mattermost-11.6.0"):
    """API Gateway's payload 2.0, as an HTTP API hands it to Lambda: header names in lower case, forms in base64."""
    path = route
    for name, value in (parameters or {}).items():
        path = path.replace("{" + name + "}", value)
    headers = {"accept": "application/json", "accept-encoding": "gzip", "host": "sample.execute-api.us-east-1.amazonaws.com",
               "user-agent": agent, "x-amzn-trace-id": "Root=1-6a92f5c0-5a4d504c455a4d504c455a4d", "x-forwarded-for": "192.0.2.1",
               "x-forwarded-port": "443", "x-forwarded-proto": "https"}
    if body is not None:
        headers |= {"content-length": str(len(body)), "content-type": kind}
    if authorization:
        headers["authorization"] = authorization
    event = {
        "version": "2.0", "routeKey": f"{method} {route}", "rawPath": path, "rawQueryString": "",
        "headers": dict(sorted(headers.items())),
        "requestContext": {
            "accountId": "123456789012", "apiId": "sample", "domainName": "sample.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "sample",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": agent},
            "requestId": "U2FtcGxlUmVxdWVzdA=", "routeKey": f"{method} {route}", "stage": "$default",
            "time": TIME, "timeEpoch": AT},
    }
    if parameters:
        event["pathParameters"] = parameters
    form = kind == "application/x-www-form-urlencoded"
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if form else body.decode()
    return event | {"isBase64Encoded": form}


def signed(method, route, value, subject, scope, jti):
    body = json.dumps(value, separators=(",", ":")).encode()
    return http(method, route, body=body, kind="application/json",
                authorization=token(method, route, body, subject, scope, jti))


def context(source):
    return {"source": {"id": source, "client_id": "sampleclient", "props": {}},
            "locale": "en", "time_zone": "Europe/Berlin", "acting_user": {"id": ALICE},
            "channel": {"id": CHANNEL, "team_id": TEAM}, "team": {"id": TEAM},
            "mentioned": {"users": {"bob": {"id": BOB}}}}


def command(raw, source="message_box"):
    return {"command": {"namespace": "hello", "function": "greet", "raw": raw},
            "security": {"trigger_id": trigger_id()}, "context": context(source)}


def slash():
    # The keys and their order as a server of this version sends them.
    form = [("channel_id", CHANNEL), ("channel_name", "town-square"), ("command", "/hello"),
            ("response_url", f"{SITE}/hooks/commands/sampleresponsesamplerespon"), ("root_id", ""),
            ("team_domain", "sample"), ("team_id", TEAM), ("text", "greet @bob --language=de"),
            ("token", WORLD["install"]["slash_token"]), ("trigger_id", trigger_id()), ("user_id", ALICE),
            ("user_mentions", "bob"), ("user_mentions_ids", BOB), ("user_name", "alice")]
    return http("POST", "/hooks/{install}/slash", body=urlencode(form).encode(), kind="application/x-www-form-urlencoded",
                authorization="Token " + WORLD["install"]["slash_token"], parameters={"install": INSTALL},
                agent="Mattermost-Bot/1.1")


def install_get():
    route, path = "/install/{install}", f"/install/{INSTALL}"
    return http("GET", route, authorization=token("GET", path, b"", ALICE, "admin", "sample-get"),
                parameters={"install": INSTALL})


def deliver():
    job = {"v": 1, "kind": "sample", "install": INSTALL}
    body = json.dumps(job, separators=(",", ":"))
    return {"Records": [{
        "messageId": "5a4d504c-4550-4d50-8c45-5a4d504c4501", "receiptHandle": "sample", "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(AT), "SenderId": "sample",
                       "ApproximateFirstReceiveTimestamp": str(AT), "MessageGroupId": INSTALL},
        "messageAttributes": {}, "md5OfBody": hashlib.md5(body.encode()).hexdigest(), "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:sample-events", "awsRegion": "us-east-1"}]}


def files():
    static = json.dumps(command("/hello greet @bob --language=de"), separators=(",", ":")).encode()
    return {
        # `Parameters` reaches every function that declares the variable.
        "env.json": {"Parameters": {"CLOUD_APPS_SAMPLE": json.dumps(WORLD, separators=(",", ":"))}},
        "slash.json": slash(),
        "command.json": signed("POST", "/command", command("/hello greet @bob --language=de"), ALICE, "user", "sample-command"),
        "command-static.json": http("POST", "/", body=static, kind="application/json",
                                    authorization="Token " + WORLD["install"]["static_token"], agent="mattermost-5.37.0"),
        "autocomplete.json": signed("POST", "/autocomplete", {
            "query": {"kind": "suggest", "input": "/hello gr", "cursor": 9}, "context": context("message_box"),
        }, ALICE, "user", "sample-query"),
        "event.json": signed("POST", "/event", {"events": [{
            "id": "sampleeventsampleeventsamp", "kind": "user_joined_channel", "at": AT, "team_id": TEAM,
            "channel_id": CHANNEL, "user_id": BOB, "data": {}}]}, BOT, "bot", "sample-event"),
        "deliver.json": deliver(),
        "index.json": http("GET", "/", agent="curl/8.5.0"),
        "install-get.json": install_get(),
        "install-operator.json": {"operator": {"do": "list", "app": "hello"}},
    }


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for name, value in files().items():
        text, path = json.dumps(value, indent=2, ensure_ascii=False) + "\n", EVENTS / name
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"events/: {', '.join(stale)} differ: run tests/rig/sample_events.py and look at the change")


if __name__ == "__main__":
    main()
