#!/usr/bin/env python3
"""Deploys the built template to a new local AWS emulator (ministack), runs a command, and cleans up.

    sam build && tests/rig/with_stack.py [options] -- cargo test --test deployed

The command's exit status is ours. It finds in its environment
    AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, ...   for any AWS SDK
    STACK_NAME         the stack's name
    STACK_URL          base URL of the HTTP API, ends without a slash
    STACK_OUTPUT_<KEY> each output of the stack, upper case
    STACK_LOG          path of the emulator's log
Without a command it prints these as one line of JSON and waits until its standard input closes. So a test that must first
start something else (a Mattermost whose CA is a parameter) can start the stack itself, and the stack ends with the test.

What the emulator does not do, and what we do about it:
* SAM writes the routes of an HttpApi into an OpenAPI Body, which the emulator ignores. We add the routes one by one from
  the processed template. Nothing else of the Body (CORS, authorizers) is seen.
* A number that comes from a parameter stays text, and its queue poller fails on that: we set the mappings' concurrency again.
* IAM is not enforced: --observe records the calls of functions, which are then compared with the statements.
* Alarms never fire, TTL deletes late, and every invocation starts a new environment, which takes about 100 ms.
"""
import argparse, contextlib, json, os, pathlib, platform, re, shutil, signal, socket, subprocess, sys, tempfile, time
import urllib.request

import observe

REGION = "us-east-1"
ROOT = pathlib.Path(__file__).resolve().parents[2]


def fail(text):
    sys.exit(f"with_stack: {text}")


def free_port(host):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def program(name, beside):
    """`name` of the project's own virtual environment, or on PATH."""
    own = ROOT / ".venv" / beside / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    return found or fail(f"{name} is not installed: run tests/rig/setup.sh")


def aws_env(endpoint):
    """The environment for SDKs and functions. It contains nothing of the developer's own account."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") or k == "AWS_CA_BUNDLE"}
    return env | {
        "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "SAM_CLI_TELEMETRY": "0",
    }


def emulator_env(endpoint, functions, host, port, work):
    """The environment of the emulator, which functions inherit. It has only what the emulator needs: otherwise a variable of
    the developer's shell could hide that the template lacks it."""
    kept = ("PATH", "HOME", "LANG", "TZ", "SSL_CERT_FILE")
    env = {k: os.environ[k] for k in kept if k in os.environ}
    aws = {k: v for k, v in aws_env(functions).items() if k.startswith("AWS_")}
    return env | aws | {
        # The default bind address is 0.0.0.0. AWS_ENDPOINT_URL is what functions inherit, whatever the template says.
        # MINISTACK_HOST is the name it puts into queue URLs.
        "BIND_HOST": host, "MINISTACK_HOST": "localhost" if host == "127.0.0.1" else host,
        "GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local",
        "STATE_DIR": f"{work}/state", "S3_DATA_DIR": f"{work}/s3", "TMPDIR": str(work),
    }


@contextlib.contextmanager
def emulator(work, log_path, host, observer):
    """A new ministack on a free port, with its state below `work`. Yields its endpoint."""
    port = free_port(host)
    endpoint = functions = f"http://{host}:{port}"
    with contextlib.ExitStack() as stack:
        if observer:
            between = free_port(host)
            functions = f"http://{host}:{between}"
            stack.enter_context(observe.proxy(host, between, f"{host}:{port}", observer))
        log = stack.enter_context(open(log_path, "ab"))
        process = subprocess.Popen([program("ministack", "mini")], env=emulator_env(endpoint, functions, host, port, work),
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    if urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=1).status == 200:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    fail("ministack did not start:\n" + pathlib.Path(log_path).read_text(errors="replace")[-2000:])
                time.sleep(0.05)
            yield endpoint
        finally:
            # The functions are in its process group: one signal ends all of them.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def deploy(endpoint, template, stack, parameters, work):
    """`sam deploy`, as a user would run it. The parameters are in a file, because SAM splits those of the command line at
    spaces."""
    command = [program("sam", "sam"), "deploy", "--template-file", str(template), "--stack-name", stack, "--resolve-s3",
               "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset",
               "--no-progressbar"]
    if parameters:
        overrides = pathlib.Path(work, "parameters.yaml")
        overrides.write_text(json.dumps(parameters))  # JSON is YAML
        command += ["--parameter-overrides", f"file://{overrides}"]
    done = subprocess.run(command, env=aws_env(endpoint), text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        fail("sam deploy failed:\n" + done.stdout[-4000:])


def client(service, endpoint):
    import boto3
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION,
                        aws_access_key_id="test", aws_secret_access_key="test")


def resources(endpoint, stack):
    """Logical id → physical id."""
    found = client("cloudformation", endpoint).describe_stack_resources(StackName=stack)["StackResources"]
    return {r["LogicalResourceId"]: r.get("PhysicalResourceId", "") for r in found}


def add_routes(endpoint, stack):
    """Creates the routes that the emulator left in the OpenAPI Body. Returns the API's id."""
    formation, gateway = client("cloudformation", endpoint), client("apigatewayv2", endpoint)
    template = formation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else template
    ids = resources(endpoint, stack)
    api = next((k for k, r in template["Resources"].items() if r["Type"] == "AWS::ApiGatewayV2::Api"), None)
    if not api:
        return None
    known = {r["RouteKey"] for r in gateway.get_routes(ApiId=ids[api])["Items"]}
    integrations = {}
    for path, methods in template["Resources"][api]["Properties"].get("Body", {}).get("paths", {}).items():
        for method, operation in methods.items():
            key = f"{method.upper()} {path}"
            target = json.dumps(operation.get("x-amazon-apigateway-integration", {}).get("uri"))
            function = re.search(r"\$\{(\w+?)\.Arn\}/invocations", target)
            if not function:
                fail(f"the route {key} of the transformed template names no function: {target}")
            if key in known:
                continue
            name = function[1]
            if name not in integrations:
                integrations[name] = gateway.create_integration(
                    ApiId=ids[api], IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0",
                    IntegrationUri=f"arn:aws:lambda:{REGION}:{observe.ACCOUNT}:function:{ids[name]}")["IntegrationId"]
            gateway.create_route(ApiId=ids[api], RouteKey=key, Target=f"integrations/{integrations[name]}")
    return ids[api]


def fix_mappings(endpoint):
    """Gives the pollers of queues a number where the emulator kept the parameter's text."""
    functions = client("lambda", endpoint)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        limit = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)})


def stack_env(endpoint, stack, api, log):
    outputs = client("cloudformation", endpoint).describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    env = {f"STACK_OUTPUT_{o['OutputKey'].upper()}": o["OutputValue"] for o in outputs}
    env |= {"STACK_NAME": stack, "STACK_LOG": str(log)}
    if api:  # the path form needs no Host header and no *.localhost name resolution
        env["STACK_URL"] = f"{endpoint}/_aws/execute-api/{api}/$default"
    return env


def function_logs(endpoint, log):
    """Appends what functions logged to the emulator's log."""
    logs = client("logs", endpoint)
    with open(log, "a", encoding="utf-8") as out:
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                out.write(f"--- {group['logGroupName']}\n")
                for events in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                    out.writelines(e["message"].rstrip("\n") + "\n" for e in events["events"])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", default=ROOT / ".aws-sam/build/template.yaml", type=pathlib.Path)
    parser.add_argument("--stack", default="local")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind, e.g. Docker's bridge for sam local")
    parser.add_argument("--parameter", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
    parser.add_argument("--parameter-file", action="append", default=[], metavar="KEY=FILE",
                        help="a parameter whose value is a file's content, such as a certificate")
    path = lambda variable: pathlib.Path(os.environ[variable]) if os.environ.get(variable) else None
    parser.add_argument("--observe", type=pathlib.Path, metavar="FILE", default=path("CLOUD_APPS_OBSERVATION_FILE"),
                        help="write what functions did to which resource (also: CLOUD_APPS_OBSERVATION_FILE)")
    parser.add_argument("--log", type=pathlib.Path, metavar="FILE", default=path("CLOUD_APPS_STACK_LOG"),
                        help="append the emulator's and the functions' log to it (also: CLOUD_APPS_STACK_LOG)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    # The functions were built for this machine and run here; the default of the template is for AWS.
    parameters = {"Architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"}
    for given, read in ((args.parameter, str), (args.parameter_file, lambda path: pathlib.Path(path).read_text())):
        for pair in given:
            key, separator, value = pair.partition("=")
            if not separator:
                parser.error(f"{pair!r}: write KEY=VALUE")
            parameters[key] = read(value)
    if not args.template.exists():
        fail(f"{args.template} is missing: run `sam build` first")
    return args, parameters


def main():
    args, parameters = parse()
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    observer = observe.Observer(REGION) if args.observe else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="stack-", ignore_cleanup_errors=True) as work:
        log = (args.log or pathlib.Path(work, "ministack.log")).resolve()
        log.parent.mkdir(parents=True, exist_ok=True)
        with emulator(work, log, args.host, observer) as endpoint:
            started = time.monotonic()
            deploy(endpoint, args.template, args.stack, parameters, work)
            fix_mappings(endpoint)
            env = stack_env(endpoint, args.stack, add_routes(endpoint, args.stack), log)
            print(f"with_stack: deployed in {time.monotonic() - started:.1f} s, {env.get('STACK_URL', endpoint)}",
                  file=sys.stderr, flush=True)
            try:
                if command:
                    sys.exit(subprocess.run(command, env=aws_env(endpoint) | env).returncode)
                aws = {k: v for k, v in aws_env(endpoint).items() if k.startswith("AWS_")}
                print(json.dumps(aws | env), flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    sys.stdin.read()
            finally:
                function_logs(endpoint, log)
                if observer:
                    args.observe.parent.mkdir(parents=True, exist_ok=True)
                    args.observe.write_text(json.dumps({
                        "stack": args.stack, "region": REGION, "account": observe.ACCOUNT,
                        "resources": resources(endpoint, args.stack), "calls": observer.report()}, indent=1))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
