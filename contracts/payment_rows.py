"""The rows of `templates/contracts/payments/_instalments.html`: a season of payments is long, so they are formatted
here."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from amap.dates import short_day
from amap.euros import euros_text

ROW = (
    '<tr><th scope="row">{}</th><td data-label="{}"><a href="{}">{}</a></td><td data-label="{}">{}</td>'
    '<td class="num" data-label="{}">{}</td><td data-label="{}">{}</td></tr>'
)


def payment_rows(instalments, slug):
    """Safe HTML: one row for each instalment of `contracts.ledger.with_badges`, linked to its page."""
    reference, paid_by, amount, state = _("Reference"), _("Paid by"), _("Amount"), _("State")
    badges = {
        (kind, text): render_to_string("ui/badge.html", {"kind": kind, "text": text})
        for kind, text in {(one.badge, one.badge_text) for one in instalments}
    }
    return format_html_join(
        "",
        ROW,
        (
            (
                short_day(one.deposit_not_before, "D j M Y"),
                *(reference, reverse("contracts:instalment", args=[slug, one.pk]), one.reference),
                *(paid_by, one.get_method_display()),
                *(amount, euros_text(one.amount_cents)),
                *(state, badges[one.badge, one.badge_text]),
            )
            for one in instalments
        ),
    )
