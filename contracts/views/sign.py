"""Signing up, one question a page: baskets, payments, then everything to check before the signature.

Nothing is stored before the signature: the answers so far travel sealed in the address.
"""

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from amap import clock
from amap.accounts import visitor_address
from amap.dates import date_format
from amap.errors import Refused, refused_into
from amap.models import Household
from contracts import documents, season_strip, signing, wording
from contracts.actions import places, subscriptions
from contracts.forms.subscriptions import GridForm, PaymentForm, SharesForm, SignForm, seal, unseal
from contracts.models import ContractOffer, Instalment, Subscription, SubscriptionLine, WaitingListEntry
from contracts.signing import MOST_OF_A_PRODUCT
from contracts.views.pieces import clauses, made_of


def steps():
    return [_("Baskets"), _("Payments"), _("Check and sign")]


@require_http_methods(["GET", "POST"])
def sign(request, pk):
    """Sign a household up for an offer: choose, then how to pay, then check and sign.

    `?household=` is somebody else's, by the farm's liaison or the committee, from a contract signed on paper.
    """
    household = _household(request, pk)
    if household is None:
        return _for_whom(request, pk)
    asked = Asked(request, pk, household)
    if asked.around.signed_already:
        messages.info(request, _("This contract is signed already."))
        return redirect("contracts:subscription", request.standing.slug, asked.around.signed_already)
    try:
        signing.refuse_unless_open(asked.offer, asked.today)
        asked.proposal = signing.Proposal(asked.around, now=asked.now, is_paper=asked.on_paper)
        signing.refuse_run_out(asked.around.memberships, asked.today, asked.proposal.deliveries[0].day)
    except Refused as refused:
        return render(request, "contracts/subscriptions/not_now.html", {"asked": asked, "reason": str(refused)})
    page = {"pay": _pay, "check": _check}.get(request.GET.get("step"), _choose)
    if (page is not _choose and not asked.read()) or (page is _check and not asked.plan):
        messages.info(request, _("Please choose again: the offer has changed, or the address was incomplete."))
        return redirect(asked.address())
    return page(request, asked)


class Asked:
    """A sign-up on its way: who, what for, and the answers so far."""

    def __init__(self, request, pk, household):
        self.now, self.today, self.household = clock.now(), clock.today(), household
        self.slug, self.own = request.standing.slug, household.pk == request.standing.household_id
        self.on_paper = not self.own
        self.sealed = request.POST.get("s") or request.GET.get("s") or ""
        state = unseal(self.sealed) or {}
        self.state = state if (state.get("o"), state.get("h")) == (pk, household.pk) else {}
        rows = ContractOffer.objects.filter(association=request.standing.association_id).visible_to(request.standing)
        self.around = signing.look_around(get_object_or_404(rows, pk=pk), household.pk, self.today)
        self.offer = self.around.offer
        self.is_waiting = bool(self.around.waiting_already(household.pk))
        self.quote, self.plans, self.plan = None, {}, None

    def read(self):
        """Whether the answers so far still fit the offer; then `quote`, `plans` and perhaps `plan` are there."""
        try:
            choices = [tuple(choice) for choice in self.state["c"]]
            self.quote = self.proposal.quote(self.proposal.settle(choices))
            self.plans = self.proposal.plans(self.quote)
        except (KeyError, ValueError, Refused):
            return False
        self.choices = choices
        self.plan = self.plans.get(self.state.get("n")) if self.state.get("m") in self.offer.methods else None
        return True

    def address(self, step="", **answers):
        """The address of a step, with the answers so far and these."""
        state = {"o": self.offer.pk, "h": self.household.pk, "t": uuid4().hex} | self.state | answers
        query = {"step": step, "s": seal(state)} if step else ({"s": self.sealed} if self.state else {})
        if not self.own:
            query["household"] = self.household.pk
        url = reverse("contracts:sign", args=[self.slug, self.offer.pk])
        return f"{url}?{urlencode(query)}" if query else url

    @property
    def token(self):
        return UUID(self.state["t"])


def _household(request, pk):
    """Who signs: the visitor's household, or the one named in the address; None when it is still to be named."""
    standing, named = request.standing, request.GET.get("household")
    if named == "":
        return None
    if named is None:
        return standing.household_id and get_object_or_404(request.association.households, pk=standing.household_id)
    if named != str(standing.household_id) and not _may_sign_for_others(standing, pk):
        raise Http404
    if not (named.isascii() and named.isdigit() and len(named) < 19):
        raise Http404
    return get_object_or_404(Household, association=standing.association_id, pk=named)


def _may_sign_for_others(standing, pk):
    """The farm's liaison and the committee hold the paper contracts; the farm never signs for a household."""
    if standing.is_committee:
        return True
    return standing.is_liaison and ContractOffer.objects.filter(pk=pk, farm__in=standing.liaison_farm_ids).exists()


def _for_whom(request, pk):
    if not _may_sign_for_others(request.standing, pk):
        raise Http404
    offer = get_object_or_404(request.association.offers.visible_to(request.standing), pk=pk)
    signed = offer.subscriptions.filter(status__in=Subscription.HOLDS).values("household")
    households = request.association.households.present(clock.today()).exclude(pk__in=signed)
    return render(
        request,
        "contracts/subscriptions/for_whom.html",
        {"offer": offer, "households": households.values_list("pk", "name", "number")},
    )


def _choose(request, asked):
    offer, proposal = asked.offer, asked.proposal
    kind = GridForm if offer.is_by_date else SharesForm
    room = asked.around.room(asked.household.pk)
    short = False
    form = kind(proposal=proposal, chosen=asked.state.get("c", ()))
    if request.method == "POST":
        form = kind(request.POST, proposal=proposal)
        do = request.POST.get("do")
        if do == "copy":
            form = kind(form.copied(), proposal=proposal)
        is_fine = form.is_valid()
        short = is_fine and form.quote.equivalents_hundredths > room
        if request.htmx:
            return render(request, "contracts/subscriptions/_price.html", _sums(asked, form) | {"is_short": short})
        if do == "wait" and is_fine:
            with refused_into(form):
                return _wait(request, asked, form.quote.equivalents_hundredths)
        if not do and is_fine and not short:
            return redirect(asked.address("pay", c=form.choices))
    elif asked.read():
        form.quote = asked.quote
    context = {
        "asked": asked,
        "form": form,
        "steps": steps(),
        "is_short": short,
        "is_full": not offer.is_by_date and room < _least(proposal),
        "room": room,
        "first": proposal.deliveries[0],
        "count": len(proposal.deliveries),
    }
    sums = _sums(asked, form)
    if offer.is_by_date:
        sums["rows"] = _grid(form, proposal, sums["line_sums"])
    page = "choose_grid" if offer.is_by_date else "choose"
    return render(request, f"contracts/subscriptions/{page}.html", context | sums)


def _least(proposal):
    """The hundredths of the smallest choice there is."""
    smallest = min(size.coefficient_hundredths for size in proposal.items)
    return smallest // 2 if proposal.offer.alternate_allowed else smallest


def _sums(asked, form):
    """What follows from a choice, for the price that follows the hand."""
    quoted = getattr(form, "quote", None)
    problem = " ".join(form.non_field_errors()) if form.is_bound and form.has_changed() else ""
    by_rank, by_item = (quoted.cents_by_rank, quoted.cents_by_item) if quoted else ({}, {})
    sums = {"asked": asked, "quote": quoted, "problem": problem}
    if asked.offer.is_by_date:
        sums["line_sums"] = [(one, by_rank.get(one.rank, 0)) for one in asked.proposal.deliveries]
        sums["column_sums"] = [(one, by_item.get(one.pk, 0)) for one in asked.proposal.items]
    elif len(set(by_rank.values())) == 1:
        sums["per_delivery_cents"] = next(iter(by_rank.values()))
    return sums


CELL = (
    '<td data-label="{}"><input type="number" inputmode="numeric" min="0" max="{}" id="id_{}" name="{}" value="{}" '
    'aria-label="{}"{}></td>'
)


def _grid(form, proposal, line_sums):
    """(delivery, its cells, its sum in cents) of every line of the grid."""
    return [
        (delivery, format_html_join("", CELL, _cells(form, proposal, delivery)), cents) for delivery, cents in line_sums
    ]


def _cells(form, proposal, delivery):
    for product in proposal.items:
        name = f"c_{delivery.rank}_{product.pk}"
        value = form.data.get(name, "") if form.is_bound else form.initial.get(name, "")
        wrong = mark_safe(' aria-invalid="true"') if name in form.errors else ""
        yield product.name, MOST_OF_A_PRODUCT, name, name, value, form.fields[name].label, wrong


def _pay(request, asked):
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        offer=asked.offer,
        plans=asked.plans,
        initial={"method": asked.state.get("m"), "count": asked.state.get("n")} if asked.plan else {},
    )
    if form.is_valid():
        return redirect(asked.address("check", m=form.cleaned_data["method"], n=form.cleaned_data["count"]))
    context = {
        "asked": asked,
        "form": form,
        "steps": steps(),
        "back": asked.address(),
        "plans": [(count, _parts(parts)) for count, parts in asked.plans.items()],
    }
    return render(request, "contracts/subscriptions/pay.html", context)


def _parts(parts):
    return [(number, part.on, part.cents) for number, part in enumerate(parts, start=1)]


def _check(request, asked):
    form = SignForm(request.POST if request.method == "POST" else None, on_paper=asked.on_paper)
    if form.is_valid():
        try:
            signed = subscriptions.sign(
                asked.offer,
                household=asked.household,
                choices=asked.choices,
                instalment_count=asked.state["n"],
                method=asked.state["m"],
                client_token=asked.token,
                name=form.cleaned_data["name"],
                expected_total_cents=asked.state.get("e", asked.quote.total_cents),
                ip=None if asked.on_paper else visitor_address(request),
                is_paper=asked.on_paper,
                by=request.user,
                now=asked.now,
            )
        except Refused as refused:
            refused.into(form)
        else:
            return _after(request, signed, left_open=signing.left_open(asked.choices))
    address = asked.address("check", e=asked.quote.total_cents)
    context = {
        "asked": asked,
        "form": form,
        "steps": steps(),
        "action": address,
        "change_baskets": asked.address(),
        "change_payments": asked.address("pay"),
        "months": season_strip.own(asked.proposal.deliveries, set(asked.quote.ranks), today=asked.today),
        "first_on": asked.proposal.by_rank[asked.quote.ranks[0]].day,
        "last_on": asked.proposal.by_rank[asked.quote.ranks[-1]].day,
        "parts": _parts(asked.plan),
        "method": dict(Instalment.Method.choices)[asked.state["m"]],
        "clauses": clauses(asked.offer, documents.CLAUSES),
        "left_open": signing.left_open(asked.choices),
        "legal": wording.legal_clauses(asked.offer, off_premises=asked.on_paper),
    }
    return render(request, "contracts/subscriptions/check.html", context | _made_of(asked))


def _after(request, signed, *, left_open):
    if isinstance(signed, WaitingListEntry):
        messages.warning(
            request,
            _("The last places went while you were signing. You are number %(n)s on the waiting list.")
            % {"n": signing.place_in_line(signed)},
        )
        return redirect("contracts:waiting_list", request.standing.slug, signed.offer_id)
    messages.success(request, _("Signed! The contract is below, with what remains to be done."))
    if left_open:
        turn = dict(SubscriptionLine.Turn.choices)[signed.lines.first().turn]
        first = signed.offer.deliveries.get(rank=signed.first_rank).day
        messages.info(
            request,
            _("Your rhythm: %(turn)s, from %(day)s on.") % {"turn": turn, "day": date_format(first, "l j F")},
        )
    return redirect("contracts:subscription", request.standing.slug, signed.pk)


def _made_of(asked):
    return made_of(
        (
            asked.proposal.by_item[line.item],
            line.quantity,
            line.turn,
            line.unit_price_cents,
            len(line.ranks),
            asked.proposal.by_rank[line.ranks[0]].day if asked.offer.is_by_date else None,
        )
        for line in asked.quote.lines
    )


def _wait(request, asked, wanted):
    entry = places.wait(
        asked.offer,
        household=asked.household,
        equivalents_hundredths=wanted,
        client_token=uuid4(),
        by=request.user,
        now=asked.now,
    )
    messages.success(request, _("You are number %(n)s on the waiting list.") % {"n": signing.place_in_line(entry)})
    return redirect("contracts:waiting_list", request.standing.slug, asked.offer.pk)
