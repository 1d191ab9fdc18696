"""What an evening needs on paper, read only: the sign-in sheet (D6), the board (D7), what each farm brings (D8)."""

from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.euros import NO_BREAK_SPACE
from amap.models import Member
from amap.phones import phone_text
from deliveries.harvests import harvests
from deliveries.models import Basket
from deliveries.quantities import quantity_text
from deliveries.sheet import contents_text, sheet, volunteers


class Paper(NamedTuple):
    """A template of `templates/print/` and its context; how many rows it has, and what it is called."""

    template: str
    context: dict
    rows: int
    title: str
    name: str


def sign_in_sheet(evening, farm_ids=None, *, now):
    """The sheet for the table at the door (D6)."""
    read = sheet(evening, farm_ids=farm_ids)
    lists = harvests(read.deliveries)
    context = _head(evening, now) | {
        "deliveries": list(read.deliveries.values()),
        "rows": _rows(read, lists),
        "totals": [(read.deliveries[pk], list(labels.items())) for pk, labels in read.totals().items()],
        "households": len(read.lines),
        "volunteers": volunteers(evening),
        "uncollected": [
            (line, Basket.Fate(basket.fate).label)
            for line in read.lines
            for basket in line.baskets[:1]
            if basket.outcome == Basket.Outcome.UNCOLLECTED
        ],
        "farms": list(dict.fromkeys(delivery.farm for delivery in read.deliveries.values())),
        "is_wide": len(read.deliveries) > 5,
    }
    title = _("Sign-in sheet of %(day)s") % {"day": date_format(evening.day, "l j F")}
    rows = len(read.lines) * (2 if lists else 1)
    return Paper("print/sign_in_sheet.html", context, rows, title, f"sheet-{evening.day}")


def _rows(read, lists):
    """Name, a cell a delivery, who came instead and notes, room to sign; below, how much of each product."""
    phones = {}
    for household, phone in (
        Member.objects.filter(household__in=[line.household_id for line in read.lines], shows_phone=True)
        .exclude(phone="")
        .values_list("household", "phone")
    ):
        phones.setdefault(household, phone_text(phone))
    rows = []
    for line in read.lines:
        taken = {basket.delivery_id: contents_text(basket.contents) for basket in line.baskets}
        cells = format_html_join("", "<td>{}</td>", ((taken.get(pk, ""),) for pk in read.deliveries))
        by = line.baskets[0].collected_by
        said = " · ".join(filter(None, [phones.get(line.household_id), by, *line.notes]))
        signed = f"{timezone.localtime(line.baskets[0].collected_at):%H:%M}" if line.is_collected else ""
        products = _products(line, lists)
        below = format_html('<tr class="below"><td colspan="{}">{}</td></tr>', len(read.deliveries) + 2, products)
        rows.append(("above" if products else "", line.name, line.code, said, cells, signed, below if products else ""))
    row = '<tr class="{}"><th>{} <small>{}<br>{}</small></th>{}<td class="sign">{}</td></tr>{}'
    return format_html_join("", row, rows)


def _products(line, lists):
    """How much of each product a household takes, as far as the farms have said what they bring (BR-52)."""
    return ", ".join(
        f"{product}{NO_BREAK_SPACE}{quantity_text(amount, unit)}"
        for basket in line.baskets
        if basket.delivery_id in lists
        for product, amount, unit, _origin in lists[basket.delivery_id].basket(basket.contents)
    )


def quantities(evening, farm_ids=None, *, now):
    """What each farm brings: the sums of the list, its harvest, and who takes what where baskets are labelled (D8)."""
    read = sheet(evening, farm_ids=farm_ids)
    totals, lists = read.totals(), harvests(read.deliveries)
    context = _head(evening, now) | {
        "locks": evening.locks(evening.association.lock_hours_before),
        "parts": [
            {
                "delivery": delivery,
                "totals": list(totals[pk].items()),
                "households": [(line, contents_text(contents)) for line, contents in read.takers(pk)],
                "harvest": lists.get(pk),
            }
            for pk, delivery in read.deliveries.items()
        ],
    }
    rows = sum(len(part["households"]) for part in context["parts"] if part["delivery"].kind != "harvest_share")
    title = _("Quantities for %(day)s") % {"day": date_format(evening.day, "l j F")}
    return Paper("print/quantities.html", context, rows, title, f"quantities-{evening.day}")


def board(evening, farm_ids=None, *, now):
    """What is in the basket, to hang above the tables (D7)."""
    read = sheet(evening, farm_ids=farm_ids)
    lists, totals = harvests(read.deliveries), read.totals()
    parts = [
        {"delivery": delivery, "harvest": lists.get(pk), "labels": sorted(totals[pk])}
        for pk, delivery in read.deliveries.items()
    ]
    title = _("In the basket on %(day)s") % {"day": date_format(evening.day, "l j F")}
    return Paper("print/board.html", _head(evening, now) | {"parts": parts}, len(parts), title, f"board-{evening.day}")


PAPERS = {"sign_in_sheet": sign_in_sheet, "quantities": quantities, "board": board}


def _head(evening, now):
    return {
        "evening": evening,
        "association_name": evening.association.name,
        "day": evening.day,
        "printed_at": now,
    }
