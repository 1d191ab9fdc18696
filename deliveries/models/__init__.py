"""The table of contents of what happened."""

from deliveries.models.distributions import Basket, Distribution, HarvestItem, HarvestList, HarvestPortion
from deliveries.models.roster import Shift, ShiftAssignment, ShiftRole

__all__ = [
    "Basket",
    "Distribution",
    "HarvestItem",
    "HarvestList",
    "HarvestPortion",
    "Shift",
    "ShiftAssignment",
    "ShiftRole",
]
