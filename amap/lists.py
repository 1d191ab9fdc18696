"""Every list that can be brought in or taken out, by the name it has in the address; what the worker does for the long
ones. Part of the roof.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from amap import clock
from amap.access import Role
from amap.actions import imports
from amap.imports.farms import Farms
from amap.imports.households import Households, export_memberships
from amap.models import Import
from contracts.imports import Contracts

IMPORTS = {kind.name: kind for kind in (Households(), Farms(), Contracts())}


@dataclass(frozen=True)
class Export:
    """A list as a file: `rows(association, today, which)` answers (headings, rows); `files(association)` its files, as
    (query, label) pairs.
    """

    rows: Any
    files: Any
    roles: frozenset


EXPORTS = {
    **{name: Export(kind.export, kind.exports, kind.roles) for name, kind in IMPORTS.items()},
    "memberships": Export(
        export_memberships,
        lambda _association: [("?", gettext_lazy("Memberships and fees"))],
        frozenset({Role.COMMITTEE, Role.SECRETARY, Role.TREASURER}),
    ),
}


def confirm(*, import_id, seen, without_wrong, by, now):
    """Write a file's lines, as its preview was `seen`."""
    batch = Import.objects.get(pk=import_id)
    kind = IMPORTS[batch.kind]
    imports.confirm(batch, kind=kind, seen=seen, without_wrong=without_wrong, by=by, now=now, today=clock.today())
