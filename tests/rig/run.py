#!/usr/bin/env python3
"""Runs the tests, the quick ones first, and counts all of them.

    tests/rig/run.py                 every step
    tests/rig/run.py STEP...         these steps, in the order of the list
    tests/rig/run.py --list

The output of each step goes to target/test-logs/STEP.log. The last step searches all of it for each secret that a test used.
A step that cannot run fails and says what is missing; an ignored test counts as failed. The last line is
`N passed, N failed`.
"""
import functools, json, os, pathlib, platform, re, shutil, signal, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "target/test-logs"
SECRETS = LOGS / "secrets"  # one a line; tests write it, the canary step reads it
OBSERVATION = LOGS / "observation.json"
BUILT = ROOT / ".aws-sam/build"
SAM, TOOLS = ROOT / ".venv/sam/bin", ROOT / ".venv/tools/bin"
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
# The tests that `make check` leaves out, because they need what `setup` installs.
RIGGED = "cloud-apps-aws/emulators,cloud-apps/rig,stack-tests/rig"
LIMIT = 45 * 60  # seconds; a step that hangs fails

# Only at the start of a line, because tests indent the output of the programs that they run.
CARGO = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.M)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


class Missing(Exception):
    """The reason why a step cannot run."""


class Step:
    """One step: its log, and what is run in it."""

    def __init__(self, name):
        self.name, self.path = name, LOGS / f"{name}.log"
        self.log = open(self.path, "w", encoding="utf-8", errors="replace")
        self.status = 0

    def say(self, text):
        self.log.write(text + "\n")
        self.log.flush()

    def run(self, *command, env=None, cwd=ROOT):
        """Runs a command and writes its output to the log. After a failure, the next command of the step still runs."""
        command = [str(part) for part in command]
        self.say("$ " + " ".join(command))
        program = command[0]
        if not (pathlib.Path(program).exists() or shutil.which(program)):
            raise Missing(f"{program} is missing: run tests/rig/setup.sh")
        process = subprocess.Popen(command, cwd=cwd, env=environment() | (env or {}), stdin=subprocess.DEVNULL,
                                   stdout=self.log, stderr=self.log, start_new_session=True)
        try:
            status = process.wait(LIMIT)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            self.say(f"this took more than {LIMIT} s and was ended")
            status = 124
        self.status = self.status or status
        return status

    def counts(self):
        """(passed, failed); a command that counts nothing is one test."""
        self.log.close()
        text = self.path.read_text(encoding="utf-8", errors="replace")
        passed = failed = 0
        for good, bad, ignored in CARGO.findall(text):
            passed, failed = passed + int(good), failed + int(bad) + int(ignored)
        for good, bad in PLAIN.findall(text):
            passed, failed = passed + int(good), failed + int(bad)
        if self.status and not failed:
            failed = 1
        return (passed, failed) if passed or failed else (1, 0)


def environment():
    """The environment of every command of a test run."""
    return os.environ | {
        "PATH": f"{SAM}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1",
        "CARGO_TERM_COLOR": "never", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "RUST_TEST_NOCAPTURE": "1",  # what is captured cannot be searched for secrets
        "CLOUD_APPS_CANARY_FILE": str(SECRETS), "CLOUD_APPS_OBSERVATION_FILE": str(OBSERVATION),
        "CLOUD_APPS_STACK_LOG": str(LOGS / "stack.log"), "CLOUD_APPS_PYTHON": str(ROOT / ".venv/mini/bin/python"),
        "CARGO_TARGET_DIR": str(ROOT / "target"),
    }


@functools.cache
def test_programs():
    """(package, test target) → its program. One build of the whole workspace: cargo would resolve features differently for
    a single package and compile most of it again."""
    done = subprocess.run(["cargo", "test", "--workspace", "--features", RIGGED, "--tests", "--no-run", "--quiet",
                           "--message-format=json-render-diagnostics"],
                          cwd=ROOT, env=environment(), capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message["target"]["kind"] == ["test"] and message["executable"]:
            folder = pathlib.Path(message["manifest_path"]).parent
            found[folder.relative_to(ROOT).as_posix(), message["target"]["name"]] = message["executable"]
    return found, done.stderr


def cargo_test(step, package, target, *before, only=(), env=None):
    """Runs one test target of the package in a folder, or what of it has `only` in its name, in that folder, as cargo would."""
    programs, complaints = test_programs()
    if (package, target) not in programs:
        step.say(complaints)
        raise Missing(f"{package} has no test program `{target}`; if it should, it did not compile")
    return step.run(*before, programs[package, target], *only, cwd=ROOT / package,
                    env={"CARGO_MANIFEST_DIR": str(ROOT / package)} | (env or {}))


def built(step):
    if not (BUILT / "template.yaml").exists():
        raise Missing(".aws-sam/build is missing: the step `build` makes it")


# --- the steps, quick ones first ----------------------------------------------------------------------------------------

def setup(step):
    """what the tests need and this machine lacks"""
    step.run("tests/rig/setup.sh")


def fmt(step):
    """rustfmt"""
    step.run("make", "-s", "fmt")


def words(step):
    """spelling, and the shell scripts"""
    step.run(TOOLS / "typos", "--format", "brief")
    step.run(TOOLS / "shellcheck", *ROOT.glob("tests/rig/**/*.sh"), ROOT / ".ci/run")


def template(step):
    """the template as a program"""
    step.run(SAM / "python", "tests/template/run.py")


def deny(step):
    """what functions may link: bans, licences, sources"""
    step.run("tests/rig/deny.sh")


def lint(step):
    """clippy"""
    step.run("make", "-s", "lint")


def unit(step):
    """everything that needs cargo only"""
    step.run("make", "-s", "unit")


def conformance(step):
    """the stores on DynamoDB Local and the emulator of the stack"""
    cargo_test(step, "shared/aws", "it", ROOT / ".venv/mini/bin/python", ROOT / "tests/rig/with_emulators.py", "--")


def languages(step):
    """the examples in other languages"""
    cargo_test(step, "local", "cloud_apps", only=["elsewhere::examples"])


def init(step):
    """a project made by `cloud-apps init`"""
    cargo_test(step, "tests", "init")


def build(step):
    """sam build, and whether what it built runs on Amazon Linux"""
    if step.run(SAM / "sam", "build", "--parameter-overrides", f"Architecture={ARCHITECTURE}") == 0:
        step.run("tests/rig/check-bootstrap.sh", *sorted(BUILT.glob("*Function/bootstrap")))


def functions(step):
    """the built functions behind stubs: what they log, and odd events"""
    built(step)
    cargo_test(step, "tests", "functions", env={"CLOUD_APPS_FUNCTIONS": BUILT})


def deployed(step):
    """the deployed stack, and its IAM statements against what was seen"""
    built(step)
    OBSERVATION.unlink(missing_ok=True)
    cargo_test(step, "tests", "deployed")
    if not OBSERVATION.exists():
        raise Missing("the deployed test left no observation of what functions did")
    step.run(SAM / "python", "tests/template/run.py", "--observation", OBSERVATION)


def sam_local(step):
    """sam local invoke on every sample event"""
    built(step)
    image = ROOT / "tests/rig/sam-local-image.sh"
    up = subprocess.run([image, "up"], capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL)
    step.say(up.stderr)
    if up.returncode:
        raise Missing("no Docker for sam local: " + (up.stderr.strip().splitlines() or ["?"])[-1])
    host = re.search(r"export DOCKER_HOST=(.*)", up.stdout)
    try:
        cargo_test(step, "tests", "sam_local", env={"DOCKER_HOST": host[1]} if host else None)
    finally:
        step.run(image, "down")


def bench(step):
    """start-up, size and speed, as ratios"""
    built(step)
    if step.run("cargo", "build", "--quiet", "--release", "--package", "bench") == 0:
        step.run("target/release/bench", BUILT)


def canary(step):
    """no secret of any test in any output"""
    secrets = {s for s in SECRETS.read_text().split() if len(s) >= 8} if SECRETS.exists() else set()
    if not secrets:
        raise Missing("no test wrote its secrets to CLOUD_APPS_CANARY_FILE: there is nothing to search for")
    files = [p for p in sorted(LOGS.iterdir()) if p not in (SECRETS, step.path) and p.is_file()]
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        for secret in secrets:
            if secret in text:
                line = text[:text.index(secret)].count("\n") + 1
                step.say(f"{path.relative_to(ROOT)}:{line}: a secret that begins with {secret[:3]!r}")
                step.status = 1
    step.say(f"searched {len(files)} files for {len(secrets)} secrets")


STEPS = {f.__name__: f for f in (setup, fmt, words, template, deny, lint, unit, conformance, languages, init, build,
                                 functions, deployed, sam_local,
                                 bench, canary)}


def main():
    names = sys.argv[1:]
    if names == ["--list"]:
        print("\n".join(f"{name:12} {step.__doc__}" for name, step in STEPS.items()))
        return
    if unknown := set(names) - set(STEPS):
        sys.exit(f"run.py: no step {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}")
    if not names:
        shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    for name in [n for n in STEPS if not names or n in names]:
        print(f"{name:12} {STEPS[name].__doc__} …", flush=True)
        started, step, missing = time.monotonic(), Step(name), None
        try:
            STEPS[name](step)
        except (Missing, OSError) as error:
            missing = str(error)
            step.say(f"{name}: {missing}")
            step.status = 1
        good, bad = step.counts()
        passed, failed = passed + good, failed + bad
        print(f"{'':12} {good} passed, {bad} failed in {time.monotonic() - started:.0f} s", flush=True)
        if bad:
            lines = step.path.read_text(encoding="utf-8", errors="replace").splitlines()
            print(*(f"    {line}" for line in ([missing] if missing else lines[-40:])), sep="\n")
            print(f"    all of it: {step.path.relative_to(ROOT)}", flush=True)
    summary = f"{passed} passed, {failed} failed"
    (LOGS / "summary").write_text(summary + "\n")
    print(summary, flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
