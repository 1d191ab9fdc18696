"""A household's contracts, the lists of those who manage them, and the waiting list."""

from collections import defaultdict

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from amap import clock, pdf
from amap.access import Role, among, role_required
from amap.euros import euros_text
from amap.models import Household
from amap.names import Alphabetical
from amap.pages import page_of, words_of
from contracts import documents, ledger, pricing, season_strip, signing, tasks
from contracts.actions import places, subscriptions
from contracts.forms.subscriptions import WithdrawForm
from contracts.models import (
    ContractOffer,
    Delivery,
    Instalment,
    Signature,
    Subscription,
    SubscriptionLine,
    WaitingListEntry,
)
from contracts.payment_rows import payment_rows
from contracts.views.pieces import made_of

MANAGERS = (Role.COMMITTEE, Role.TREASURER, Role.SECRETARY, Role.LIAISON, Role.FARMER)


# The contract


def subscription(request, pk):
    """One household's contract: its dates, payments, signature and document, and what it still lacks."""
    rows = Subscription.objects.filter(association=request.standing.association_id).visible_to(request.standing)
    rows = rows.select_related("offer__farm", "household", "association", "document").defer(
        "document__pdf", "document__content"
    )
    it = get_object_or_404(rows.annotate(is_managed=among(Subscription.objects.manageable_by(request.standing))), pk=pk)
    lines = list(it.lines.select_related("size", "product", "delivery"))
    deliveries = list(it.offer.deliveries.select_related("place"))
    today = clock.today()
    mine = signing.due_days([(line.turn, line.delivery_id) for line in lines], deliveries, it.first_rank, it.last_rank)
    instalments = ledger.with_badges(
        it.instalments.order_by("number"), today=today, grace_days=it.association.grace_days
    )
    is_waiting = it.status == Subscription.Status.AWAITING_DOCUMENTS
    standing = request.standing

    has_begun = not mine or mine[0].day <= today
    is_mine = it.household_id == standing.household_id
    payments_from = it.waits_until(today)
    transfers = it.instalments.awaited().filter(method=Instalment.Method.TRANSFER)
    context = {
        "it": it,
        "is_mine": is_mine,
        "payments_from": payments_from,
        "is_kept": timezone.localdate(it.reserved_until) >= today,
        "to_announce": [] if is_mine or payments_from else transfers.declarable_by(standing),
        "months": season_strip.own(deliveries, {one.rank for one in mine}, today=today),
        "next": next((one for one in mine if one.day >= today), None),
        "left": sum(one.day >= today for one in mine),
        "payment_rows": payment_rows(instalments, standing.slug),
        "handed_cents": sum(one.amount_cents for one in instalments if one.status in Instalment.HANDED_IN),
        "missing": subscriptions.missing_keys(it) if is_waiting else [],
        "signatures": list(Signature.objects.filter(subscription=it).select_related("by")),
        "may_validate": it.is_managed and is_waiting,
        "may_withdraw": (it.is_managed or is_mine)
        and it.status in (Subscription.Status.AWAITING_DOCUMENTS, Subscription.Status.VALIDATED)
        and (not has_begun or (it.is_managed and is_waiting)),
    }
    context |= made_of(
        (
            line.size or line.product,
            line.quantity,
            line.turn,
            line.unit_price_cents,
            _times(line, mine),
            line.delivery and line.delivery.day,
        )
        for line in lines
    )
    return render(request, "contracts/subscriptions/subscription.html", context)


def _times(line, mine):
    """At how many of a subscription's deliveries a line is due."""
    return 1 if line.delivery_id else sum(pricing.takes(line.turn, one.rank) for one in mine)


@require_GET
def document(request, pk):
    """The signed contract as PDF: always the same file (BR-22)."""
    rows = Subscription.objects.filter(association=request.standing.association_id).visible_to(request.standing)
    found = get_object_or_404(
        rows.filter(document__isnull=False).values_list("document", "offer__code", "household__number"), pk=pk
    )
    number, code, household = found
    return pdf.answer(tasks.fill_document(number), slugify(f"contrat-{code}-h{household:03}"))


@require_GET
def blank(request, pk):
    """The contract to print and fill in by hand, for households who sign on paper."""
    rows = request.association.offers.visible_to(request.standing)
    around = signing.look_around(get_object_or_404(rows, pk=pk), None, clock.today())
    proposal = signing.Proposal(around, now=clock.now(), is_paper=True)
    paper = tasks.contract_pdf(documents.content(proposal), printed_at=clock.now())
    return pdf.answer(paper, slugify(f"contrat-vierge-{proposal.offer.code}"))


@require_POST
def validate(request, pk):
    """Declare a contract valid, its three keys turned."""
    subscriptions.validate(_managed(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("The contract is valid."))
    return redirect("contracts:subscription", request.standing.slug, pk)


def _managed(request, pk):
    rows = Subscription.objects.filter(association=request.standing.association_id)
    return get_object_or_404(rows.manageable_by(request.standing), pk=pk)


@require_http_methods(["GET", "POST"])
def withdraw_subscription(request, pk):
    """Withdraw: what it undoes, then the question."""
    standing = request.standing
    rows = Subscription.objects.filter(association=standing.association_id).visible_to(standing).with_days()
    rows = rows.annotate(is_managed=among(Subscription.objects.manageable_by(standing)))
    it = get_object_or_404(rows.select_related("offer__farm", "household"), pk=pk)
    if it.household_id != standing.household_id and not it.is_managed:
        raise Http404
    subscriptions.refuse_withdrawal(it, clock.today(), is_managed=it.is_managed)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        subscriptions.withdraw(it, by=request.user, now=clock.now(), reason=reason, is_managed=it.is_managed)
        messages.success(request, _("The contract is withdrawn; the place is free again."))
        return redirect("contracts:subscription", standing.slug, pk)
    has_begun = it.first_day <= clock.today()
    return render(request, "contracts/subscriptions/withdraw.html", {"it": it, "form": form, "has_begun": has_begun})


# The lists


def my_contracts(request):
    """The household's contracts, each with its next date and what is handed in; and where it waits."""
    household = request.standing.household_id
    if household is None:
        raise Http404
    rows = list(
        Subscription.objects.filter(household=household)
        .exclude(status=Subscription.Status.WITHDRAWN)
        .select_related("offer__farm")
        .order_by("-offer__ends_on", "pk")
    )
    today = clock.today()
    lines, deliveries, paid = defaultdict(list), defaultdict(list), defaultdict(int)
    for pk, turn, delivery in SubscriptionLine.objects.filter(subscription__in=rows).values_list(
        "subscription_id", "turn", "delivery_id"
    ):
        lines[pk].append((turn, delivery))
    for one in Delivery.objects.filter(offer__in={row.offer_id for row in rows}):
        deliveries[one.offer_id].append(one)
    handed_in = Instalment.objects.filter(subscription__in=rows, status__in=Instalment.HANDED_IN).order_by()
    for pk, cents in handed_in.values_list("subscription_id").annotate(Sum("amount_cents")):
        paid[pk] = cents
    missing = subscriptions.missing_keys_of([row for row in rows if row.status == row.Status.AWAITING_DOCUMENTS])
    contracts = []
    for row in rows:
        due = signing.due_days(lines[row.pk], deliveries[row.offer_id], row.first_rank, row.last_rank)
        contracts.append(
            {
                "it": row,
                "next": next((one.day for one in due if one.day >= today), None),
                "left": sum(one.day >= today for one in due),
                "paid_cents": paid[row.pk],
                "missing": missing.get(row.pk, []),
            }
        )
    waiting = WaitingListEntry.objects.filter(household=household, status=WaitingListEntry.Status.WAITING)
    context = {
        "running": [one for one in contracts if one["it"].status in Subscription.LIVE],
        "past": [one for one in contracts if one["it"].status not in Subscription.LIVE],
        "waiting": waiting.select_related("offer__farm"),
    }
    return render(request, "contracts/subscriptions/my_contracts.html", context)


@role_required(*MANAGERS)
def subscriptions_list(request):
    """The contracts of the farms one looks after, by offer and state, with the totals of each size."""
    standing = request.standing
    rows = Subscription.objects.filter(association=standing.association_id).listed_for(standing)
    offers = _listed_offers(standing)
    offer = next((one for one in offers if str(one[0]) == request.GET.get("offer")), None)
    status = request.GET.get("status", "")
    status = status if status in Subscription.Status else ""
    if offer:
        rows = rows.filter(offer=offer[0])
    if status:
        rows = rows.filter(status=status)
    elif offer is None:
        rows = rows.filter(status__in=Subscription.LIVE)
    if words := words_of(request):
        named = Household.objects.filter(association=standing.association_id).called(words)
        rows = rows.filter(household__in=named)
    page = page_of(request, rows.select_related("household", "offer").order_by(Alphabetical("household__name"), "pk"))
    shares = _words(page.object_list)
    missing = subscriptions.missing_keys_of(
        [row for row in page.object_list if row.status == Subscription.Status.AWAITING_DOCUMENTS]
    )
    context = {
        "page": page,
        "rows": _rows(page.object_list, shares, missing, standing.slug, with_offer=offer is None),
        "offers": offers,
        "offer": offer,
        "status": status,
        "statuses": Subscription.Status.choices,
        "q": words,
        "totals": _totals(offer[0]) if offer else [],
        "may_record": standing.is_committee or standing.is_liaison,
    }
    return render(request, "contracts/subscriptions/subscriptions.html", context)


ROW = (
    '<tr><th scope="row"><a href="{}">{}</a> <small class="soft">{}</small></th>{}<td>{}</td>'
    '<td{}>{}{}</td><td class="num spare">{}</td><td class="num key">{}</td></tr>'
)


def _rows(rows, words, missing, slug, *, with_offer):
    """The table's rows. Dozens of them, so they are formatted here."""
    return format_html_join(
        "",
        ROW,
        (
            (
                reverse("contracts:subscription", args=[slug, row.pk]),
                row.household.name,
                row.household.code,
                format_html("<td>{}</td>", row.offer.title) if with_offer else "",
                words.get(row.pk, ""),
                SafeString(' class="spare"') if row.status == Subscription.Status.ACTIVE else "",
                row.get_status_display(),
                format_html(' <small class="soft">{}</small>', ", ".join(missing[row.pk])) if row.pk in missing else "",
                row.deliveries_count,
                euros_text(row.total_cents),
            )
            for row in rows
        ),
    )


def _listed_offers(standing):
    """(id, title, taken, capacity) of the offers somebody may list the contracts of."""
    rows = ContractOffer.objects.filter(association=standing.association_id, status__in=ContractOffer.PUBLIC)
    return list(rows.listed_for(standing).values_list("pk", "title", "taken_hundredths", "capacity_hundredths"))


def _words(rows):
    """What each subscription is made of, in a few words: {pk: text}."""
    parts, dates = defaultdict(list), defaultdict(set)
    lines = SubscriptionLine.objects.filter(subscription__in=[row.pk for row in rows])
    for pk, label, quantity, turn, delivery in lines.values_list(
        "subscription_id", "size__label", "quantity", "turn", "delivery_id"
    ):
        if delivery:
            dates[pk].add(delivery)
        else:
            text = f"{quantity} × {label}" if quantity > 1 else label
            letter = {"odd": "A", "even": "B"}.get(turn)
            text = _("%(share)s, turn %(letter)s") % {"share": text, "letter": letter} if letter else text
            parts[pk].append(text)
    words = {pk: ", ".join(each) for pk, each in parts.items()}
    return words | {
        pk: ngettext("%(count)s delivery", "%(count)s deliveries", len(each)) % {"count": len(each)}
        for pk, each in dates.items()
    }


def _totals(offer_id):
    """(size or product, turn in words or empty, how many) of what households hold of an offer."""
    lines = SubscriptionLine.objects.filter(subscription__offer=offer_id, subscription__status__in=Subscription.HOLDS)
    sums = lines.order_by("size__position", "product__position").values_list("size__label", "product__name", "turn")
    return [
        (size or product, dict(SubscriptionLine.Turn.choices)[turn] if turn != "every" else "", quantity)
        for size, product, turn, quantity in sums.annotate(Sum("quantity"))
    ]


# Waiting for a place


def waiting_list(request, pk):
    """The waiting list of an offer: the whole line for those who manage it, one's own place for a member."""
    standing = request.standing
    rows = ContractOffer.objects.filter(association=standing.association_id).visible_to(standing)
    found = get_object_or_404(rows.annotate(is_listed=among(ContractOffer.objects.listed_for(standing))), pk=pk)
    around = signing.look_around(found, standing.household_id, clock.today())
    line = around.offer.waiting_list.filter(status=WaitingListEntry.Status.WAITING).select_related("household")
    line = line.annotate(is_managed=among(WaitingListEntry.objects.manageable_by(standing)))
    places = [(place, entry) for place, entry in enumerate(line, start=1)]
    mine = next(((place, entry) for place, entry in places if entry.household_id == standing.household_id), None)
    context = {
        "offer": around.offer,
        "mine": mine,
        "is_listed": found.is_listed,
        "line": [
            (place, entry, around.room(entry.household_id) >= entry.equivalents_hundredths) for place, entry in places
        ],
        "may_record": standing.is_committee or standing.is_liaison,
        "wanted": sum(entry.equivalents_hundredths for _place, entry in places),
        "may_sign": mine is not None and around.room(standing.household_id) >= mine[1].equivalents_hundredths,
    }
    return render(request, "contracts/subscriptions/waiting.html", context)


@require_POST
def stop_waiting(request, pk):
    """Leave the waiting list, or take somebody off it at their wish."""
    standing = request.standing
    rows = WaitingListEntry.objects.filter(association=standing.association_id)
    rows = rows.filter(household=standing.household_id) | rows.manageable_by(standing)
    entry = get_object_or_404(rows.select_related("offer"), pk=pk)
    places.stop_waiting(entry, by=request.user, now=clock.now())
    messages.success(request, _("Off the waiting list."))
    return redirect("contracts:waiting_list", standing.slug, entry.offer_id)
