"""The sample events: well-formed, fresh, and for functions and routes that exist."""
import base64, json, unittest

import stack

EVENTS = stack.ROOT / "events"
# Which function a file without a route is for.
DIRECT = {"deliver": "DeliverFunction", "upkeep": "DeliverFunction", "install-operator": "InstallFunction"}


def events():
    return {p.stem: json.loads(p.read_text()) for p in sorted(EVENTS.glob("*.json")) if p.name != "env.json"}


def function_of(name, event):
    if name in DIRECT:
        return DIRECT[name]
    return {f"{m} {p}": f for m, p, f in stack.routes()}[event["routeKey"]]


class Events(unittest.TestCase):
    def test_every_function_has_one(self):
        self.assertEqual(set(stack.functions()), {function_of(n, e) for n, e in events().items()})

    def test_http_events_have_the_shape_of_an_http_api(self):
        for name, event in events().items():
            if name in DIRECT:
                self.assertNotIn("routeKey", event, name)
                continue
            context = event["requestContext"]
            self.assertEqual(("2.0", "$default"), (event["version"], context["stage"]), name)
            self.assertEqual(event["routeKey"], context["routeKey"], name)
            self.assertEqual([], [h for h in event["headers"] if h != h.lower()], name)
            method, route = event["routeKey"].split(" ")
            path = route
            for key, value in (event.get("pathParameters") or {}).items():
                path = path.replace("{" + key + "}", value)
            self.assertEqual((method, path, path), (context["http"]["method"], context["http"]["path"], event["rawPath"]), name)
            form = event["headers"].get("content-type") == "application/x-www-form-urlencoded"
            self.assertEqual(form, event["isBase64Encoded"], name)
            if event.get("body"):
                body = base64.b64decode(event["body"]) if form else event["body"].encode()
                self.assertEqual(str(len(body)), event["headers"]["content-length"], name)

    def test_every_file_is_in_the_readme(self):
        readme = (EVENTS / "README.md").read_text()
        self.assertEqual([], [n for n in events() if f"`{n}.json`" not in readme])

    def test_only_the_sample_variable_is_filled(self):
        world = json.loads((EVENTS / "env.json").read_text())
        self.assertEqual({"Parameters"}, set(world))
        self.assertEqual({"CLOUD_APPS_SAMPLE"}, set(world["Parameters"]))
        self.assertEqual({"ring", "install", "mattermost"}, set(json.loads(world["Parameters"]["CLOUD_APPS_SAMPLE"])))
