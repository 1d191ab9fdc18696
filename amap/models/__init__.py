"""The table of contents of what the association is."""

from amap.models.imports import Import, ImportedRow
from amap.models.membership import Membership, MembershipPeriod
from amap.models.money import Due, Movement
from amap.models.people import (
    Association,
    CommitteeSeat,
    Farm,
    Farmer,
    FarmLiaison,
    Household,
    Invitation,
    Member,
    Partnership,
    PickupPlace,
    User,
)
from amap.models.records import AuditEntry, Heartbeat, Job, Letter

__all__ = [
    "Association",
    "AuditEntry",
    "CommitteeSeat",
    "Due",
    "Farm",
    "FarmLiaison",
    "Farmer",
    "Heartbeat",
    "Household",
    "Import",
    "ImportedRow",
    "Invitation",
    "Job",
    "Letter",
    "Member",
    "Membership",
    "MembershipPeriod",
    "Movement",
    "Partnership",
    "PickupPlace",
    "User",
]
