"""What the offline dictionary of SIG-04 costs: every candidate against one token whose secret is none of them.

    python benchmarks/weak_secrets.py [--rounds 7]

No server is asked: the token is made here, with 32 random bytes as its secret.
"""

from __future__ import annotations

import argparse
import secrets
import time
from statistics import median

from conformance.tokens.keys import sign
from conformance.tokens.reading import read_jwt
from conformance.tokens.weak_secrets import find_secret, known_secrets, variants

ALGORITHMS = ("HS256", "HS512")


def timed(algorithm: str) -> float:
    """How many seconds it takes to try all candidates in vain."""
    claims = {"sub": "alice", "iat": 1_700_000_000, "exp": 1_700_000_900, "jti": secrets.token_hex(16)}
    token = read_jwt(sign({"alg": algorithm, "typ": "JWT"}, claims, secrets.token_bytes(32), algorithm))
    assert token is not None
    started = time.perf_counter()
    assert find_secret(token, guesses=["localhost", "alice"]) is None
    return time.perf_counter() - started


def main() -> None:
    """Reads the command line, measures each algorithm in turn and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    listed = list(known_secrets())
    derived = sum(1 for word in listed for _ in variants(word))
    print(f"{len(listed):,} listed secrets and {derived:,} variants of them, {rounds} rounds\n")
    for algorithm in ALGORITHMS:
        seconds = [timed(algorithm) for _ in range(rounds)]
        rate = (len(listed) + derived) / median(seconds)
        print(
            f"{algorithm}  {median(seconds):6.3f} s   ({min(seconds):.3f} to {max(seconds):.3f})   {rate:,.0f} a second"
        )


if __name__ == "__main__":
    main()
