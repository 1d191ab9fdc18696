"""Offers: a yes that is awaited, sign-up to open, shares to sign, places to give, farms to look after."""

from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import LINES, Card, and_more, day_text, rule
from amap.euros import equivalents_text
from amap.facts import facts
from amap.models import FarmLiaison, Partnership
from amap.names import Alphabetical
from contracts.models import ContractOffer, OfferAcceptance, WaitingListEntry


def _unanswered(here, side):
    """Proposed offers whose version that side has not accepted (BR-8)."""
    yes = OfferAcceptance.objects.filter(offer=OuterRef("pk"), side=side, version=OuterRef("version"))
    offers = here.of_farms(here.all(ContractOffer)).filter(~Exists(yes), status=ContractOffer.Status.PROPOSED)
    return facts(offers.order_by("pk"), "pk", "title", "farm__name")


def _offers(desk, rows, title, note):
    lines = [(f"{offer} ({farm})", desk.url("contracts:offer", pk)) for pk, offer, farm in rows]
    return Card(title % {"count": len(rows)}, lines[0][1], note, icon="contract", lines=and_more(lines, len(lines)))


@rule(Role.COMMITTEE, asks=lambda here: _unanswered(here, OfferAcceptance.Side.COMMITTEE))
def offers_to_accept(desk, rows):
    """Offers that wait for the committee's yes (BR-8)."""
    title = ngettext(
        "%(count)s offer waits for the committee's yes", "%(count)s offers wait for the committee's yes", len(rows)
    )
    return _offers(desk, rows, title, _("Read the price and the terms, then accept or talk to the farm."))


@rule(Role.FARMER, Role.LIAISON, asks=lambda here: _unanswered(here, OfferAcceptance.Side.FARM))
def offers_for_the_farm(desk, rows):
    """Offers that wait for the farm's yes (BR-8)."""
    title = ngettext("%(count)s offer waits for the farm's yes", "%(count)s offers wait for the farm's yes", len(rows))
    return _offers(desk, rows, title, _("Both sides accept the same version; then sign-up can open."))


def _agreed(here):
    ready = here.all(ContractOffer).filter(
        Q(open_on=None) | Q(open_on__lte=here.today), status=ContractOffer.Status.AGREED
    )
    return facts(ready.order_by("pk"), "pk", "title", "farm__name")


@rule(Role.COMMITTEE, asks=_agreed)
def offers_to_open(desk, rows):
    """Agreed offers whose sign-up may open today."""
    title = ngettext("%(count)s agreed offer can open", "%(count)s agreed offers can open", len(rows))
    return _offers(desk, rows, title, _("Opening writes to all members; from then on the terms stay as they are."))


def _stuck(here):
    stuck = here.of_farms(here.all(ContractOffer)).filter(
        Q(status=ContractOffer.Status.OPEN, starts_on__lte=here.today)
        | Q(status=ContractOffer.Status.RUNNING, ends_on__lt=here.today)
    )
    return facts(stuck.order_by("pk"), "pk", "title", "status")


@rule(Role.COMMITTEE, Role.LIAISON, asks=_stuck)
def seasons_that_wait(desk, rows):
    """Seasons whose first day has come without a valid sign-up, or that are over with a delivery still open."""
    words = {
        ContractOffer.Status.OPEN: _("%(offer)s: its first day has come, and no sign-up is valid"),
        ContractOffer.Status.RUNNING: _("%(offer)s: its last day is past, and a delivery is not closed"),
    }
    lines = [(words[status] % {"offer": title}, desk.url("contracts:offer", pk)) for pk, title, status in rows]
    title = ngettext("%(count)s season cannot move on", "%(count)s seasons cannot move on", len(rows))
    return Card(title % {"count": len(rows)}, lines[0][1], icon="calendar", lines=and_more(lines, len(lines)))


def _short(here):
    needed = Coalesce(NullIf(F("budget__planned_equivalents_hundredths"), 0), F("capacity_hundredths"))
    short = (
        here.of_farms(here.all(ContractOffer))
        .filter(status=ContractOffer.Status.OPEN)
        .annotate(needed=needed)
        .filter(taken_hundredths__lt=F("needed"))
    )
    return facts(short.order_by("starts_on", "pk"), "pk", "title", "taken_hundredths", "needed", "starts_on")


@rule(Role.COMMITTEE, Role.LIAISON, Role.FARMER, asks=_short)
def shares_to_sign(desk, rows):
    """Open offers with fewer shares signed than the farm plans for (BR-9), or than it can feed."""
    meters = [
        {
            "label": title,
            "text": _("%(taken)s of %(needed)s shares")
            % {"taken": equivalents_text(taken), "needed": equivalents_text(all_)},
            "percent": taken * 100 // all_,
            "short": True,
        }
        for _pk, title, taken, all_, _start in rows[:LINES]
    ]
    missing = sum(all_ - taken for _pk, _title, taken, all_, _start in rows)
    return Card(
        _("%(shares)s shares are still to be signed") % {"shares": equivalents_text(missing)},
        desk.url("contracts:offer", rows[0][0]) if len(rows) == 1 else desk.url("contracts:offers"),
        note=_("The first delivery is on %(day)s.") % {"day": day_text(rows[0][-1])} if rows[0][-1] else "",
        icon="people",
        meters=meters,
    )


def _line(here):
    line = (
        here.of_farms(here.all(WaitingListEntry), "offer__farm")
        .filter(status=WaitingListEntry.Status.WAITING, offer__status__in=ContractOffer.LIVE)
        .order_by("offer")
        .values("offer", "offer__title", "offer__capacity_hundredths", "offer__taken_hundredths")
        .annotate(count=Count("pk"), least=Min("equivalents_hundredths"))
    )
    columns = ("offer__title", "offer__capacity_hundredths", "offer__taken_hundredths", "count", "least")
    return facts(line, "offer", *columns)


@rule(Role.COMMITTEE, Role.LIAISON, asks=_line)
def waiting_lists(desk, rows):
    """Households that wait for a place; urgent when there is one (BR-30)."""
    total = sum(row[4] for row in rows)
    lines = [
        (
            _("%(offer)s: %(count)s waiting, %(free)s free")
            % {"offer": title, "count": count, "free": equivalents_text(capacity - taken)},
            desk.url("contracts:waiting_list", pk),
        )
        for pk, title, capacity, taken, count, _least in rows
    ]
    return Card(
        ngettext("%(count)s household waits for a place", "%(count)s households wait for a place", total)
        % {"count": total},
        lines[0][1],
        icon="people",
        is_urgent=any(capacity - taken >= least for _pk, _title, capacity, taken, _count, least in rows),
        lines=and_more(lines, len(lines)),
    )


def _alone(here):
    liaisons = FarmLiaison.objects.current(here.today).filter(partnership=OuterRef("pk"))
    alone = here.all(Partnership).filter(~Exists(liaisons), ended_on=None)
    return facts(alone.order_by(Alphabetical("farm__name")), "farm__slug", "farm__name", most=20)


@rule(Role.COMMITTEE, asks=_alone)
def farms_without_liaison(desk, rows):
    """Partner farms nobody is liaison of: their offers cannot open (BR-10)."""
    lines = [(name, desk.url("amap:farm", slug)) for slug, name in rows]
    return Card(
        ngettext("%(count)s farm has no liaison", "%(count)s farms have no liaison", len(rows)) % {"count": len(rows)},
        lines[0][1],
        icon="farm",
        lines=and_more(lines, len(lines)),
    )
