"""The process that makes one picture: a specification on stdin, a PNG on stdout. It has no secrets and no address."""

import json
import resource
import sys

import vl_convert

CPU_SECONDS = 20
SCALE = 2.0


def main() -> None:
    """Draw, or end with a traceback on stderr and a code other than 0."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    spec = json.load(sys.stdin.buffer)
    # an empty list of allowed addresses: none is
    sys.stdout.buffer.write(vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[]))


if __name__ == "__main__":
    main()
