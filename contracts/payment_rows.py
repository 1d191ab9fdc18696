"""The rows of `templates/contracts/payments/_instalments.html`, formatted here: a season of payments is long."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join

from amap.dates import short_day
from amap.euros import euros_text

ROW = (
    '<tr><th scope="row">{}</th><td><a href="{}">{}</a></td><td class="spare">{}</td><td class="num key">{}</td>'
    "<td>{}</td></tr>"
)


def payment_rows(instalments, slug):
    """Safe HTML: one row for each instalment of `contracts.ledger.with_badges`, linked to its page."""
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
                *(reverse("contracts:instalment", args=[slug, one.pk]), one.reference),
                one.get_method_display(),
                euros_text(one.amount_cents),
                badges[one.badge, one.badge_text],
            )
            for one in instalments
        ),
    )
