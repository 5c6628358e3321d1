#!/usr/bin/env python3
"""Starts new emulators of the AWS services that the stores use, runs a command, and stops them.

    tests/rig/with_emulators.py -- cargo test -p cloud-apps-aws --test it

The command finds DYNAMODB_LOCAL_URL (Amazon's DynamoDB Local, strict), AWS_ENDPOINT_URL (ministack: DynamoDB, Secrets
Manager, SQS) and AWS credentials that are valid for nothing else. Its exit status is ours.
"""
import contextlib, os, pathlib, signal, socket, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
import with_stack


@contextlib.contextmanager
def dynamodb_local(work):
    port = with_stack.free_port("127.0.0.1")
    with open(f"{work}/dynamodb-local.log", "wb") as log:
        start = pathlib.Path(__file__).with_name("dynamodb-local") / "start.sh"
        process = subprocess.Popen([start, str(port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 120  # the first start fetches it
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None or time.monotonic() > deadline:
                    with_stack.fail("DynamoDB Local did not start:\n" + pathlib.Path(log.name).read_text(errors="replace")[-2000:])
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)


def main():
    command = sys.argv[2:] if sys.argv[1:2] == ["--"] else sys.argv[1:]
    if not command:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="emulators-", ignore_cleanup_errors=True) as work, \
            dynamodb_local(work) as strict, with_stack.emulator(work, f"{work}/ministack.log", "127.0.0.1", None) as endpoint:
        sys.exit(subprocess.run(command, env=with_stack.aws_env(endpoint) | {"DYNAMODB_LOCAL_URL": strict}).returncode)


if __name__ == "__main__":
    main()
