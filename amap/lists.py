"""Every list that can be brought in or taken out, by the name it has in the address. Part of the roof."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from amap.access import Role
from amap.imports.farms import Farms
from amap.imports.households import Households, export_memberships

IMPORTS = {kind.name: kind for kind in (Households(), Farms())}


@dataclass(frozen=True)
class Export:
    """A list as a file: `rows(association, today)` answers (headings, rows)."""

    label: Any
    rows: Any
    roles: frozenset


EXPORTS = {
    **{name: Export(kind.label, kind.export, kind.roles) for name, kind in IMPORTS.items()},
    "memberships": Export(
        gettext_lazy("Memberships and fees"),
        export_memberships,
        frozenset({Role.COMMITTEE, Role.SECRETARY, Role.TREASURER}),
    ),
}
