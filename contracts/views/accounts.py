"""What is due, late and paid: by farm, by household, by month, with the payments behind each figure."""

from django.db.models import Exists, OuterRef
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from amap import charts, clock, spreadsheets
from amap.access import Role, role_required
from amap.converters import id_in
from amap.euros import euros_text
from amap.models import Farm, Household
from amap.names import Alphabetical
from amap.pages import page_of, words_of
from contracts import ledger
from contracts.models import Instalment
from contracts.payment_rows import payment_rows
from contracts.views.payments import farm_of, instalments_here

READERS = (Role.COMMITTEE, Role.TREASURER, Role.SECRETARY, Role.LIAISON, Role.FARMER)
# The columns of the two tables: a figure of ledger.Sums, and its name.
OF_A_FARM = {
    "late": gettext_lazy("Late"),
    "awaited": gettext_lazy("Awaited"),
    "declared": gettext_lazy("Transfers announced"),
    "held": gettext_lazy("Cheques held"),
    "handed_over": gettext_lazy("Handed to the farm"),
    "paid": gettext_lazy("Paid"),
}
OF_A_HOUSEHOLD = {
    "late": gettext_lazy("Late"),
    "awaited": gettext_lazy("Awaited"),
    "on_its_way": gettext_lazy("On its way"),
    "paid": gettext_lazy("Paid"),
}


def _farms(request):
    """[(id, slug, name)] of the farms whose accounts the visitor reads (BR-5)."""
    standing = request.standing
    farms = Farm.objects.filter(partnerships__association=standing.association_id)
    if not standing.runs_association:
        farms = farms.filter(pk__in=standing.looked_after_farm_ids)
    return list(farms.distinct().order_by(Alphabetical("name")).values_list("pk", "slug", "name"))


def _asked(request):
    """The visitor's farms, the one asked for (None: all), and the instalments these stand for."""
    farms = _farms(request)
    farm = farm_of(request, farms) if request.GET.get("farm") else None
    instalments = instalments_here(request)
    if farm or not request.standing.runs_association:
        instalments = instalments.filter(farm__in=[pk for pk, _slug, _name in ([farm] if farm else farms)])
    return farms, farm, instalments


@role_required(*READERS)
@require_GET
def accounts(request):
    """Figures first, then the households; `?farm=` and `?household=` open what is behind them, `?only=late` filters."""
    farms, farm, instalments = _asked(request)
    when = {"today": clock.today(), "grace_days": request.association.grace_days}
    context = {"farms": farms, "farm": farm}
    if asked := request.GET.get("household", ""):
        payers = Household.objects.filter(Exists(instalments.filter(household=OuterRef("pk"))))
        household = get_object_or_404(payers, pk=id_in(asked))
        theirs = instalments.filter(household=household)
        rows = theirs.order_by("deposit_not_before", Alphabetical("farm__name"), "number")
        context |= {
            "household": household,
            "payment_rows": payment_rows(ledger.with_badges(rows, **when), request.standing.slug),
            "household_sums": ledger.total(theirs, **when),
        }
    else:
        sums = ledger.sums_by(instalments, "farm", "month", **when)
        only_late = request.GET.get("only") == "late"
        shown = instalments.overdue(when["today"], when["grace_days"]) if only_late else instalments
        households = Household.objects.filter(
            Exists(shown.filter(household=OuterRef("pk"))), association=request.standing.association_id
        )
        if words := words_of(request):
            households = households.called(words)
        page = page_of(request, households.order_by(Alphabetical("name"), "number").values_list("pk", "name"))
        of_page = ledger.sums_by(instalments.filter(household__in=[pk for pk, _name in page]), "household", **when)
        total = ledger.add(sums.values())
        chosen = f"farm={farm[1]}&" if farm else ""
        context |= {
            "total": total,
            "months": _months(sums),
            "farm_columns": OF_A_FARM,
            "farm_rows": _rows(_by_farm(farms, sums), OF_A_FARM),
            "total_cells": _cells(total, OF_A_FARM),
            "page": page,
            "household_columns": OF_A_HOUSEHOLD,
            "household_rows": _rows(
                [(f"{chosen}household={pk}", name, of_page[(pk,)]) for pk, name in page], OF_A_HOUSEHOLD
            ),
            "only_late": only_late,
            "q": words,
        }
    return render(request, "contracts/payments/accounts.html", context)


def _by_farm(farms, sums):
    """(query, name, sums) of the farms that are owed or were paid something."""
    found = ledger.along(sums, 0)
    return [(f"farm={slug}", name, found[pk]) for pk, slug, name in farms if pk in found]


def _months(sums):
    """What was paid of what was promised, month by month."""
    return charts.months(
        {
            "month": month,
            "value": one.paid,
            "text": euros_text(one.paid),
            "target": one.promised,
            "second_text": euros_text(one.promised),
        }
        for month, one in sorted(ledger.along(sums, 1).items())
        if one.promised
    )


ROW = '<tr><th scope="row"><a href="?{}">{}</a></th><td class="num key">{}</td>{}</tr>'
CELL = '<td class="num{}" data-label="{}">{}</td>'


def _rows(lines, columns):
    """Rows of (query, name, sums): what was promised, then the figures of `columns`, {figure: its name}."""
    columns = {figure: str(name) for figure, name in columns.items()}
    return format_html_join(
        "", ROW, ((query, name, euros_text(sums.promised), _cells(sums, columns)) for query, name, sums in lines)
    )


def _cells(sums, columns):
    """One cell a figure. Nothing is a dash, which a phone leaves out."""
    cells = (
        (" late" if figure == "late" else "", name, euros_text(cents)) if cents else (" spare", name, "–")
        for figure, name in columns.items()
        for cents in [getattr(sums, figure)]
    )
    return format_html_join("", CELL, cells)


@role_required(*READERS)
@require_GET
def accounts_csv(request):
    """The payments behind the page, for the farm's own accounts (D5)."""
    _all, farm, instalments = _asked(request)
    headers = [
        _("Farm"), _("Contract"), _("Household"), _("Number"), _("Reference"), _("From"), _("Amount"), _("Paid by"),
        _("State"), _("Bank"), _("Cheque no."), _("Written by"), _("Slip"), _("Handed over on"),
    ]  # fmt: skip
    states, methods = dict(Instalment.Status.choices), dict(Instalment.Method.choices)
    in_order = instalments.order_by(
        Alphabetical("farm__name"), "deposit_not_before", Alphabetical("household__name"), "number"
    )
    rows = in_order.values_list(
        "farm__name", "subscription__offer__title", "household__name", "household__number", "reference",
        "deposit_not_before", "amount_cents", "method", "status", "pk",
    )  # fmt: skip
    cheques = {
        pk: details
        for pk, *details in instalments.filter(cheques__is_void=False).values_list(
            "pk", "cheques__bank", "cheques__number", "cheques__drawer", "cheques__batch__number",
            "cheques__batch__handed_over_on",
        )
    }  # fmt: skip
    lines = (
        [
            farm_name,
            title,
            household,
            number,
            reference,
            day,
            spreadsheets.euros_number(cents),
            str(methods[method]),
            str(states[status]),
            *cheques.get(pk, [""] * 5),
        ]
        for farm_name, title, household, number, reference, day, cents, method, status, pk in rows
    )
    answer = StreamingHttpResponse(spreadsheets.write_csv(headers, lines), content_type="text/csv; charset=utf-8")
    name = _("payments") + (f"-{farm[1]}" if farm else "") + f"-{clock.today()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
