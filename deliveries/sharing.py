"""Pure: one harvest into baskets (BR-47, BR-77).

Amounts are whole: grams for what is weighed, pieces for what is counted. Baskets are given as coefficient in hundredths
→ number of baskets, so that equal shares always receive the same. Baskets of several associations on one day are simply
added up (BR-77).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Baskets = Mapping[int, int]
"""Coefficient in hundredths → number of baskets present: `{100: 31, 50: 22}`."""


@dataclass(frozen=True)
class Sharing:
    """What each basket of a coefficient receives, what is left over, and what remains to be evened out."""

    each: dict[int, int]
    leftover: int
    due: dict[int, int] = field(default_factory=dict)
    """Pieces only: hundredths of a piece a basket of each size has had beyond its part so far (less: negative)."""


def equivalents(baskets: Baskets) -> int:
    """The share-equivalents present, in hundredths."""
    return sum(coefficient * count for coefficient, count in baskets.items())


def share_weight(grams: int, baskets: Baskets, *, step_grams: int = 50) -> Sharing:
    """Divide `grams` in proportion to the coefficients, each basket rounded down to `step_grams` (BR-47)."""
    present = equivalents(baskets)
    each = {size: size * grams // (present * step_grams) * step_grams for size in _sizes(baskets)}
    return Sharing(each, grams - _used(each, baskets))


def share_pieces(pieces: int, baskets: Baskets, *, due: Mapping[int, int] | None = None) -> Sharing:
    """Divide `pieces` in proportion to the coefficients (BR-47).

    A size whose part is less than one piece receives one if there is enough for everybody. If not, the product takes
    turns between the sizes: the one that is furthest behind, in proportion to its coefficient, is served first, as long
    as there is one for every basket of the size. `due` is the `Sharing.due` of this product's last delivery.
    """
    present = equivalents(baskets)
    sizes = _sizes(baskets)
    before = {size: (due or {}).get(size, 0) for size in sizes}
    wanted = {size: max(1, size * pieces // present) for size in sizes}
    if _used(wanted, baskets) <= pieces:
        each = wanted
    else:
        each, rest = dict.fromkeys(sizes, 0), pieces
        for size in sorted(sizes, key=lambda size: (before[size] / size, -size)):
            if wanted[size] * baskets[size] <= rest:
                each[size] = wanted[size]
                rest -= wanted[size] * baskets[size]
    after = {size: before[size] + _nearest(100 * (each[size] * present - size * pieces), present) for size in sizes}
    return Sharing(each, pieces - _used(each, baskets), {**(due or {}), **after})


def needed(whole: int, baskets: Baskets, *, step: int = 1) -> Sharing:
    """The other way round: what every basket gets when a whole share gets `whole`, in steps of `step`.

    Nobody is left with nothing while a whole share gets something. The total to bring is `used(…)`.
    """
    each = {size: max(min(step, whole), size * whole // (100 * step) * step) for size in _sizes(baskets)}
    return Sharing(each, 0)


def used(sharing: Sharing, baskets: Baskets) -> int:
    """The amount that goes into the baskets."""
    return _used(sharing.each, baskets)


def _sizes(baskets: Baskets) -> list[int]:
    """The sizes of which there is at least one basket, the largest first."""
    return sorted((size for size, count in baskets.items() if count > 0), reverse=True)


def _used(each: Mapping[int, int], baskets: Baskets) -> int:
    return sum(amount * baskets[size] for size, amount in each.items())


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
