"""Public functions where jit is switched off."""

import jax
import numpy as np

from tests.public_calls import CALLS, ON_HOST, TRACEABLE


def main():
    failed = 0
    every = {name: (call,) for name, call in CALLS.items()} | TRACEABLE | ON_HOST
    del every["jacobian"]  # takes as long as all others, and "gradient" differentiates too
    for name, (call, *given) in every.items():
        wanted = jax.tree.leaves(call(*given))
        try:
            with jax.disable_jit():
                found = jax.tree.leaves(call(*given))
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
        except Exception as error:  # all of them are told
            failed += 1
            print(f"{name}: {type(error).__name__}: {error}"[:400], flush=True)
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
