"""Where the protocols get their random identifiers, so that tests can repeat them."""

from __future__ import annotations

from applet.hints import Protocol


class Randomness(Protocol):
    """Satisfied by `threads.entropy.SystemRandom` in the product, and in tests by
    `random.Random(seed)`."""

    def getrandbits(self, k: int, /) -> int: ...

    def random(self) -> float: ...


def token(source: Randomness, bits: int = 64) -> str:
    """An identifier of `bits` random bits in lower-case hexadecimal."""
    return f"{source.getrandbits(bits):0{bits // 4}x}"
