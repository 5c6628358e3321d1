"""A Cloud App in Python: no framework, nothing but the standard library.

    CLOUD_APPS_UPSTREAM_KID=… CLOUD_APPS_UPSTREAM_SECRET=… python3 app.py

HOST and PORT say where it listens; PORT=0 takes a free port. It speaks HTTP: put it behind what speaks HTTPS for you.
"""
import base64, hashlib, hmac, json, os, re, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

APP = "greeter"
MOST = 2 * 1024 * 1024  # bytes of a request
LEEWAY = 30  # seconds that two clocks may be apart


# --- What the app does -------------------------------------------------------------------------------------------------

def greet(request, claims):
    """/greeter greet NAME"""
    settings = request["context"]["app"]["settings"]
    name = request["command"]["encoded"].get("name", "stranger")
    return {"type": "message", "text": f"{settings.get('greeting', 'Hello')}, {escape(name)}!"}


def announce(request, claims):
    """/greeter announce TEXT: the bot says it in the channel, for a person whom Mattermost vouches for."""
    # A caller with a static token can write anything into the body, also an acting_user. `sub` is there where it was proved.
    if "sub" not in claims:
        return {"type": "error", "text": "Run this command in Mattermost: here nobody knows who you are."}
    return {"type": "message", "to": "channel", "text": escape(request["command"]["encoded"]["text"])}


def on_install(request, claims):
    """Called before the app serves a Mattermost; an error refuses the installation."""
    greeting = request["context"]["app"]["settings"].get("greeting", "Hello")
    if not greeting.strip():
        return {"type": "error", "text": "There is nothing to greet with.", "fields": {"greeting": "Write a word."}}
    return {"type": "done"}


FUNCTIONS = {"greet": greet, "announce": announce, "on_install": on_install}


def escape(text):
    """What a person wrote, as text and not as Markdown. An invisible space keeps @, : and & from being read as more."""
    text = re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~])", r"\\\1", text)
    return re.sub(r"([@:&])", "\\1\u200b", text)


# --- Who asks ----------------------------------------------------------------------------------------------------------

class Refused(Exception):
    """The token does not prove that the bundle sent this."""


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def secrets():
    """The secrets that the bundle may sign with, by their kid; while one is rotated there are two."""
    found = {}
    for more in ("", "_NEXT"):
        kid = os.environ.get(f"CLOUD_APPS_UPSTREAM{more}_KID")
        if kid:
            found[kid] = from_base64url(os.environ[f"CLOUD_APPS_UPSTREAM{more}_SECRET"])
    return found


class Seen:
    """Tokens that were used, until they have expired. The bundle never sends one twice."""

    def __init__(self):
        self.until, self.lock = {}, threading.Lock()

    def add(self, jti, exp, now):
        with self.lock:
            self.until = {known: until for known, until in self.until.items() if until > now}
            if jti in self.until:
                raise Refused("the token was used before")
            self.until[jti] = exp + LEEWAY


def verify(authorization, method, path, body, keys, seen, now):
    """The claims of a token that proves that the bundle sent this request, and nobody else, and just now."""
    parts = (authorization or "").split(" ")
    if len(parts) != 2 or parts[0].lower() != "bearer" or parts[1].count(".") != 2:
        raise Refused("there is no token")
    head, payload, signature = parts[1].split(".")
    try:
        header = json.loads(from_base64url(head))
        mac = from_base64url(signature)
    except ValueError:
        raise Refused("the token is no JWT")
    # One algorithm and one type, and the secret that the kid names: nothing here is chosen by who sends it.
    if not isinstance(header, dict) or header.get("alg") != "HS256" or "crit" in header:
        raise Refused("the token's algorithm is another")
    if header.get("typ") != "cloud-apps-upstream+jwt" or header.get("kid") not in keys:
        raise Refused("the token's type or kid is another")
    expected = hmac.new(keys[header["kid"]], f"{head}.{payload}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(mac, expected):
        raise Refused("the signature is wrong")
    # From here on the bundle is known to have written it.
    claims = json.loads(from_base64url(payload))
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    wanted = {"iss": "cloud-apps", "aud": APP, "htm": method, "htp": path, "body_sha256": digest}
    for claim, value in wanted.items():
        if claims.get(claim) != value:
            raise Refused(f"the token's {claim} is another")
    iat, exp = claims.get("iat"), claims.get("exp")
    if not isinstance(iat, int) or not isinstance(exp, int) or exp < now - LEEWAY or iat > now + LEEWAY:
        raise Refused("the token is not of now")
    seen.add(claims.get("jti"), exp, now)
    return claims


# --- HTTP --------------------------------------------------------------------------------------------------------------

class Handler(BaseHTTPRequestHandler):
    keys, seen = secrets(), Seen()
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST:
            self.close_connection = True
            return self.answer(413, {"error": "send a body with its length, at most 2 MiB"})
        body = self.rfile.read(int(length))
        authorization = self.headers.get_all("Authorization") or [None]
        try:
            if len(authorization) != 1:
                raise Refused("there are several tokens")
            claims = verify(authorization[0], "POST", self.path, body, self.keys, self.seen, int(time.time()))
        except Refused as why:
            return self.answer(401, {"error": str(why)})
        run = FUNCTIONS.get(self.path.removeprefix("/"))
        if run is None:
            return self.answer(404, {"error": "there is no such function"})
        self.answer(200, run(json.loads(body), claims))

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        # One line per request; never a header or a body, because the token is a credential.
        print(f"{self.command} {self.path} {arguments[1] if len(arguments) > 1 else ''}", flush=True)


if __name__ == "__main__":
    if not Handler.keys:
        raise SystemExit("CLOUD_APPS_UPSTREAM_KID and CLOUD_APPS_UPSTREAM_SECRET are not set: `cloud-apps operator apps add` shows them")
    server = ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "3000"))), Handler)
    print("Listening on http://%s:%d" % server.server_address[:2], flush=True)
    server.serve_forever()
