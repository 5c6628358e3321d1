#!/usr/bin/env python3
"""Runs the tests of the template and prints `N passed, N failed` at the end.

    .venv/sam/bin/python tests/template/run.py [--observation FILE]

With --observation (written by `tests/rig/with_stack.py --observe`) only the comparison of IAM statements with it is run.
"""
import argparse, logging, os, pathlib, sys, unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--observation", metavar="FILE")
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # SAM's own notes on metrics that nobody collects
    if args.observation:
        os.environ["CLOUD_APPS_OBSERVATION"] = args.observation
        suite = unittest.defaultTestLoader.loadTestsFromName("test_iam.Observed")
    else:
        os.environ.pop("CLOUD_APPS_OBSERVATION", None)
        suite = unittest.defaultTestLoader.discover(str(HERE))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.skipped)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
