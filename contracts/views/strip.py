"""A season at a glance: the months that `templates/ui/calendar_strip.html` shows."""

from itertools import groupby

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from contracts.models import Delivery


def months(deliveries, mine, today):
    """The months of a season's deliveries, those whose ranks are in `mine` marked as the household's own."""
    shown = sorted((one for one in deliveries if one.status != Delivery.Status.CANCELLED), key=lambda one: one.day)
    return [
        {
            "label": date_format(first, "F").capitalize(),
            "days": [_day(one, one.rank in mine, today) for one in shown if one.day.replace(day=1) == first],
        }
        for first, _days in groupby(one.day.replace(day=1) for one in shown)
    ]


def _day(delivery, is_mine, today):
    title = date_format(delivery.day, "l j F Y")
    return {
        "text": delivery.day.day,
        "state": ("done" if delivery.day < today else "mine") if is_mine else "",
        "title": _("%(day)s: your basket") % {"day": title} if is_mine else title,
    }
