"""What waits for somebody: each rule asks, and shows a card as long as there is a reason for it.

A rule is a generator. It first yields what it wants to know (an annotation made by `facts`), is sent the answer (a
list of lists), and yields a `Card`, or ends without one when nothing waits. The rules of a visitor are all asked in one
statement, so a desk costs one query whatever the number of rules. Nobody ticks a card off: it vanishes with its cause.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, NullIf
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import clock
from amap.access import Role, Standing
from amap.dates import date_format
from amap.euros import equivalents_text, euros_text
from amap.facts import facts
from amap.models import (
    Association,
    CommitteeSeat,
    FarmLiaison,
    Invitation,
    Job,
    Letter,
    Membership,
    MembershipPeriod,
    Partnership,
)
from amap.names import Alphabetical
from amap.words import pair
from contracts.models import (
    ContractOffer,
    Delivery,
    Instalment,
    OfferAcceptance,
    Subscription,
    WaitingListEntry,
)
from deliveries.models import Distribution, Shift, ShiftAssignment
from deliveries.models.distributions import with_hours

LINES = 4
HARVEST_AHEAD = timedelta(days=3)
HARVEST_LATE = timedelta(hours=24)
ENDS_SOON = timedelta(days=45)
INVITED_FOR = timedelta(days=3)
# Roles that see the business of their own farms only (BR-5).
OF_A_FARM = frozenset({Role.LIAISON, Role.FARMER})


@dataclass(frozen=True)
class Card:
    """A sentence with figures, and the way to where it is solved.

    `rule`: the name of the rule it comes from; `lines`: [(text, url)]; `meters` for `ui/meter.html`.
    """

    title: str
    url: str
    note: str = ""
    icon: str = "waiting"
    is_urgent: bool = False
    lines: list = field(default_factory=list)
    meters: list = field(default_factory=list)
    rule: str = ""


@dataclass(frozen=True)
class Desk:
    """Who looks, where and when. `farm_ids`: the farms a rule is asked about, None for all of the association."""

    association: Association
    standing: Standing
    now: datetime
    farm_ids: frozenset | None = None

    @property
    def today(self):
        return timezone.localdate(self.now)

    def url(self, route, *args, **query):
        """The address of a page of this association."""
        url = reverse(route, args=[self.standing.slug, *args])
        return f"{url}?{urlencode(query)}" if query else url

    def of_farms(self, rows, path="farm"):
        """Only what concerns the farms the visitor acts for here, where the role ends there."""
        return rows if self.farm_ids is None else rows.filter(**{f"{path}__in": self.farm_ids})


@dataclass(frozen=True)
class Rule:
    """A rule and the roles that see its card."""

    ask: Callable
    roles: frozenset

    @property
    def name(self):
        return self.ask.__name__

    def desk(self, desk):
        """The desk as this rule may see it."""
        if desk.standing.roles & (self.roles - OF_A_FARM):
            return desk
        standing = desk.standing
        farms = frozenset()
        if Role.LIAISON in self.roles:
            farms |= standing.liaison_farm_ids
        if Role.FARMER in self.roles:
            farms |= standing.farm_ids
        return replace(desk, farm_ids=farms)


RULES: list[Rule] = []


def rule(*roles):
    """Register a rule; its cards are shown to these roles. The order of this file is the order of the cards."""

    def register(ask):
        RULES.append(Rule(ask, frozenset(roles)))
        return ask

    return register


def cards(association, standing, now):
    """The cards of a visitor, the urgent ones first. One query."""
    desk = Desk(association, standing, now)
    asked = {rule.name: rule.ask(rule.desk(desk)) for rule in RULES if standing.roles & rule.roles}
    if not asked:
        return []
    questions = {name: next(answering) for name, answering in asked.items()}
    answers = Association.objects.order_by().filter(pk=association.pk).annotate(**questions).values(*questions).get()
    found = []
    for name, answering in asked.items():
        try:
            found.append(replace(answering.send(answers[name]), rule=name))
        except StopIteration:
            continue
    return sorted(found, key=lambda card: not card.is_urgent)


def _day(iso):
    return date_format(date.fromisoformat(iso), "l j F")


def _moment(iso_day, iso_time):
    return clock.at(date.fromisoformat(iso_day), time.fromisoformat(iso_time))


def _and_more(lines, count):
    """The first lines, and how many there are beside them."""
    if count <= LINES:
        return lines[:LINES]
    return [*lines[: LINES - 1], (_("and %(count)s more") % {"count": count - LINES + 1}, "")]


# The evening


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD)
def evenings_to_close(desk):
    """An evening whose list should be fixed by now, or that is over and not closed (BR-52)."""
    promised = Delivery.objects.filter(
        association=OuterRef("association"), day=OuterRef("day"), place=OuterRef("place")
    ).exclude(status=Delivery.Status.CANCELLED)
    evenings = desk.association.distributions.exclude(status=Distribution.Status.CLOSED).filter(
        Exists(promised) | Q(status=Distribution.Status.LOCKED), day__lte=desk.today + timedelta(days=2)
    )
    rows = yield facts(evenings.order_by("day"), "pk", "day", "status", "opens_at", "closes_at", most=20)
    lock_hours = timedelta(hours=desk.association.lock_hours_before)
    lines = []
    for pk, day, status, opens, closes in rows:
        is_over = _moment(day, closes) < desk.now
        if status == Distribution.Status.LOCKED and is_over:
            lines.append((_("%(day)s: close the distribution") % {"day": _day(day)}, pk))
        elif status == Distribution.Status.PLANNED and _moment(day, opens) - lock_hours <= desk.now:
            lines.append((_("%(day)s: fix the list") % {"day": _day(day)}, pk))
    if not lines:
        return
    lines = [(text, desk.url("deliveries:distribution", pk)) for text, pk in lines]
    yield Card(
        ngettext("%(count)s distribution to finish", "%(count)s distributions to finish", len(lines))
        % {"count": len(lines)},
        lines[0][1],
        note=_("A closed distribution is in the history, with what was left and where it went."),
        icon="basket",
        lines=_and_more(lines, len(lines)),
    )


@rule(Role.COMMITTEE, Role.LIAISON, Role.FARMER)
def missing_harvest_lists(desk):
    """No harvest list yet: for the farm from three days before, for the committee in the last 24 hours (BR-45)."""
    waiting = desk.of_farms(desk.association.deliveries, "offer__farm").filter(
        day__range=(desk.today, desk.today + HARVEST_AHEAD),
        status__in=[Delivery.Status.SCHEDULED, Delivery.Status.LOCKED],
        offer__kind=ContractOffer.Kind.HARVEST_SHARE,
        offer__status__in=ContractOffer.LIVE,
        harvest_list=None,
    )
    columns = ("pk", "day", "offer__title", "offer__farm__name", "offer__farm", "opens_at", "closes_at")
    rows = yield facts(with_hours(waiting).order_by("day"), *columns, most=20)
    own = desk.standing.farm_ids | desk.standing.liaison_farm_ids
    lines, is_urgent = [], False
    for pk, day, offer, farm, farm_id, opens, closes in rows:
        is_late = _moment(day, opens) - HARVEST_LATE <= desk.now
        if desk.now > _moment(day, closes) or not (is_late or farm_id in own):
            continue
        is_urgent |= is_late
        text = _("%(offer)s (%(farm)s), %(day)s") % {"offer": offer, "farm": farm, "day": _day(day)}
        lines.append((text, desk.url("deliveries:harvest", pk)))
    if not lines:
        return
    yield Card(
        ngettext("%(count)s harvest list is missing", "%(count)s harvest lists are missing", len(lines))
        % {"count": len(lines)},
        lines[0][1],
        note=_("Members look for it before they come; last week's list is there to start from."),
        icon="sprout",
        is_urgent=is_urgent,
        lines=_and_more(lines, len(lines)),
    )


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD, Role.SECRETARY)
def holes_in_the_roster(desk):
    """Evenings of the next ten days with too few people; urgent in the last hours (BR-62, BR-65)."""
    holes = (
        Shift.objects.filter(
            distribution__association=desk.association,
            distribution__day__range=(desk.today, desk.today + Shift.HOLES_WITHIN),
        )
        .exclude(distribution__status=Distribution.Status.CLOSED)
        .order_by("distribution__day")
        .values("distribution", "distribution__day", "distribution__volunteers_from", "distribution__volunteers_until")
        .annotate(missing=Sum(F("needed") - F("taken")), short=Count("pk", filter=Q(taken__lt=F("role__minimum"))))
        .filter(missing__gt=0)
    )
    columns = ("distribution__day", "distribution__volunteers_from", "distribution__volunteers_until")
    rows = yield facts(holes, "distribution", *columns, "short", "missing")
    rows = [row for row in rows if _moment(row[1], row[3]) > desk.now]
    if not rows:
        return
    lines = [
        (
            ngettext("%(day)s: %(count)s person", "%(day)s: %(count)s people", missing)
            % {"day": _day(day), "count": missing},
            desk.url("deliveries:roster") + f"#evening-{pk}",
        )
        for pk, day, _from, _until, _short, missing in rows
    ]
    total = sum(row[-1] for row in rows)
    urgent_from = timedelta(hours=desk.association.urgent_hours)
    yield Card(
        ngettext("%(count)s person is missing on the roster", "%(count)s people are missing on the roster", total)
        % {"count": total},
        lines[0][1],
        note=_("In the next ten days."),
        icon="roster",
        is_urgent=any(
            short and _moment(day, begins) - urgent_from <= desk.now
            for _pk, day, begins, _until, short, _missing in rows
        ),
        lines=_and_more(lines, len(lines)),
    )


@rule(Role.COMMITTEE, Role.DISTRIBUTION_LEAD, Role.SECRETARY)
def replacements_wanted(desk):
    """People on the roster of the next ten days who look for a replacement (BR-62)."""
    wanted = ShiftAssignment.objects.filter(
        association=desk.association,
        status=ShiftAssignment.Status.SWAP_REQUESTED,
        distribution__day__range=(desk.today, desk.today + Shift.HOLES_WITHIN),
    ).order_by("distribution__day")
    columns = ("pk", "distribution__day", "shift__role__name", "household__name", "volunteer")
    rows = yield facts(wanted, *columns, most=20)
    if not rows:
        return
    lines = [
        (
            _("%(day)s: %(name)s, %(role)s") % {"day": _day(day), "name": volunteer or household, "role": role},
            desk.url("deliveries:replace", pk),
        )
        for pk, day, role, household, volunteer in rows
    ]
    yield Card(
        ngettext("%(count)s replacement is looked for", "%(count)s replacements are looked for", len(rows))
        % {"count": len(rows)},
        desk.url("deliveries:roster"),
        icon="swap",
        lines=_and_more(lines, len(lines)),
    )


# Offers


def _unanswered(offers, side):
    """Proposed offers whose version that side has not accepted (BR-8)."""
    yes = OfferAcceptance.objects.filter(offer=OuterRef("pk"), side=side, version=OuterRef("version"))
    return offers.filter(~Exists(yes), status=ContractOffer.Status.PROPOSED).order_by("pk")


def _offers(desk, rows, title, note):
    lines = [(f"{offer} ({farm})", desk.url("contracts:offer", pk)) for pk, offer, farm in rows]
    return Card(title % {"count": len(rows)}, lines[0][1], note, icon="contract", lines=_and_more(lines, len(lines)))


@rule(Role.COMMITTEE)
def offers_to_accept(desk):
    """Offers that wait for the committee's yes (BR-8)."""
    side = OfferAcceptance.Side.COMMITTEE
    rows = yield facts(_unanswered(desk.association.offers, side), "pk", "title", "farm__name")
    if rows:
        title = ngettext(
            "%(count)s offer waits for the committee's yes", "%(count)s offers wait for the committee's yes", len(rows)
        )
        yield _offers(desk, rows, title, _("Read the price and the terms, then accept or talk to the farm."))


@rule(Role.FARMER, Role.LIAISON)
def offers_for_the_farm(desk):
    """Offers that wait for the farm's yes (BR-8)."""
    offers = _unanswered(desk.of_farms(desk.association.offers), OfferAcceptance.Side.FARM)
    rows = yield facts(offers, "pk", "title", "farm__name")
    if rows:
        title = ngettext(
            "%(count)s offer waits for the farm's yes", "%(count)s offers wait for the farm's yes", len(rows)
        )
        yield _offers(desk, rows, title, _("Both sides accept the same version; then sign-up can open."))


@rule(Role.COMMITTEE)
def offers_to_open(desk):
    """Agreed offers whose sign-up may open today."""
    ready = desk.association.offers.filter(
        Q(open_on=None) | Q(open_on__lte=desk.today), status=ContractOffer.Status.AGREED
    )
    rows = yield facts(ready.order_by("pk"), "pk", "title", "farm__name")
    if rows:
        title = ngettext("%(count)s agreed offer can open", "%(count)s agreed offers can open", len(rows))
        yield _offers(desk, rows, title, _("Opening writes to all members; from then on the terms stay as they are."))


@rule(Role.COMMITTEE, Role.LIAISON)
def seasons_that_wait(desk):
    """Seasons whose first day has come without a valid sign-up, or that are over with a delivery still open."""
    stuck = desk.of_farms(desk.association.offers).filter(
        Q(status=ContractOffer.Status.OPEN, starts_on__lte=desk.today)
        | Q(status=ContractOffer.Status.RUNNING, ends_on__lt=desk.today)
    )
    rows = yield facts(stuck.order_by("pk"), "pk", "title", "status")
    if not rows:
        return
    words = {
        ContractOffer.Status.OPEN: _("%(offer)s: its first day has come, and no sign-up is valid"),
        ContractOffer.Status.RUNNING: _("%(offer)s: its last day is past, and a delivery is not closed"),
    }
    lines = [(words[status] % {"offer": title}, desk.url("contracts:offer", pk)) for pk, title, status in rows]
    title = ngettext("%(count)s season cannot move on", "%(count)s seasons cannot move on", len(rows))
    yield Card(title % {"count": len(rows)}, lines[0][1], icon="calendar", lines=_and_more(lines, len(lines)))


@rule(Role.COMMITTEE, Role.LIAISON, Role.FARMER)
def shares_to_sign(desk):
    """Open offers with fewer shares signed than the farm plans for (BR-9), or than it can feed."""
    needed = Coalesce(NullIf(F("budget__planned_equivalents_hundredths"), 0), F("capacity_hundredths"))
    short = (
        desk.of_farms(desk.association.offers)
        .filter(status=ContractOffer.Status.OPEN)
        .annotate(needed=needed)
        .filter(taken_hundredths__lt=F("needed"))
    )
    rows = yield facts(short.order_by("starts_on", "pk"), "pk", "title", "taken_hundredths", "needed", "starts_on")
    if not rows:
        return
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
    yield Card(
        _("%(shares)s shares are still to be signed") % {"shares": equivalents_text(missing)},
        desk.url("contracts:offer", rows[0][0]) if len(rows) == 1 else desk.url("contracts:offers"),
        note=_("The first delivery is on %(day)s.") % {"day": _day(rows[0][-1])} if rows[0][-1] else "",
        icon="people",
        meters=meters,
    )


@rule(Role.COMMITTEE, Role.LIAISON)
def waiting_lists(desk):
    """Households that wait for a place; urgent when there is one (BR-30)."""
    line = (
        desk.of_farms(WaitingListEntry.objects.filter(association=desk.association), "offer__farm")
        .filter(status=WaitingListEntry.Status.WAITING, offer__status__in=ContractOffer.LIVE)
        .order_by("offer")
        .values("offer", "offer__title", "offer__capacity_hundredths", "offer__taken_hundredths")
        .annotate(count=Count("pk"), least=Min("equivalents_hundredths"))
    )
    columns = ("offer__title", "offer__capacity_hundredths", "offer__taken_hundredths", "count", "least")
    rows = yield facts(line, "offer", *columns)
    if not rows:
        return
    total = sum(row[4] for row in rows)
    lines = [
        (
            _("%(offer)s: %(count)s waiting, %(free)s free")
            % {"offer": title, "count": count, "free": equivalents_text(capacity - taken)},
            desk.url("contracts:wait", pk),
        )
        for pk, title, capacity, taken, count, _least in rows
    ]
    yield Card(
        ngettext("%(count)s household waits for a place", "%(count)s households wait for a place", total)
        % {"count": total},
        lines[0][1],
        icon="people",
        is_urgent=any(capacity - taken >= least for _pk, _title, capacity, taken, _count, least in rows),
        lines=_and_more(lines, len(lines)),
    )


@rule(Role.COMMITTEE)
def farms_without_liaison(desk):
    """Partner farms nobody is liaison of: their offers cannot open (BR-10)."""
    here = FarmLiaison.objects.current(desk.today).filter(partnership=OuterRef("pk"))
    alone = Partnership.objects.filter(~Exists(here), association=desk.association, ended_on=None)
    rows = yield facts(alone.order_by(Alphabetical("farm__name")), "farm__slug", "farm__name", most=20)
    if not rows:
        return
    lines = [(name, desk.url("amap:farm", slug)) for slug, name in rows]
    yield Card(
        ngettext("%(count)s farm has no liaison", "%(count)s farms have no liaison", len(rows)) % {"count": len(rows)},
        lines[0][1],
        icon="farm",
        lines=_and_more(lines, len(lines)),
    )


# Sign-ups and payments


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON)
def signups_waiting(desk):
    """Sign-ups that lack one of their three keys (BR-21)."""
    waiting = (
        desk.of_farms(desk.association.subscriptions, "offer__farm")
        .filter(status=Subscription.Status.AWAITING_DOCUMENTS)
        .order_by(Alphabetical("offer__title"))
        .values("offer", "offer__title")
        .annotate(count=Count("pk"), until=Min("reserved_until__date"))
    )
    rows = yield facts(waiting, "offer", "offer__title", "count", "until")
    if not rows:
        return
    total = sum(count for _pk, _title, count, _until in rows)
    lines = [
        (
            _("%(offer)s: %(count)s") % {"offer": title, "count": count},
            desk.url("contracts:subscriptions", offer=pk, status=Subscription.Status.AWAITING_DOCUMENTS),
        )
        for pk, title, count, _until in rows
    ]
    soonest = min(until for _pk, _title, _count, until in rows)
    past = date.fromisoformat(soonest) < desk.today
    yield Card(
        ngettext("%(count)s sign-up waits for a key", "%(count)s sign-ups wait for a key", total) % {"count": total},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:subscriptions"),
        note=(
            _("A place was kept until %(day)s without its payments: telephone.")
            if past
            else _("The first place is kept until %(day)s.")
        )
        % {"day": _day(soonest)},
        icon="contract",
        lines=_and_more(lines, len(lines)),
    )


def _sums(instalments):
    """How many payments, of how many households, and how much."""
    return (
        instalments.order_by()
        .values("association")
        .annotate(count=Count("pk"), households=Count("household", distinct=True), cents=Sum("amount_cents"))
    )


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON)
def late_payments(desk):
    """Payments whose day and days of grace are past, and nothing came (BR-41)."""
    late = desk.of_farms(desk.association.instalments).overdue(desk.today, desk.association.grace_days)
    rows = yield facts(_sums(late), "count", "households", "cents")
    if not rows:
        return
    ((count, households, cents),) = rows
    yield Card(
        ngettext("%(count)s payment is late: %(sum)s", "%(count)s payments are late: %(sum)s", count)
        % {"count": count, "sum": euros_text(cents)},
        desk.url("contracts:accounts", only="late"),
        note=ngettext(
            "%(count)s household. A letter has gone; a telephone call often solves it.",
            "%(count)s households. A letter has gone; a telephone call often solves it.",
            households,
        )
        % {"count": households},
        icon="money",
    )


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON)
def running_without_payment(desk):
    """Contracts that run although a payment was taken back or bounced, as long as it is not late (BR-21, BR-41)."""
    missing = (
        desk.of_farms(desk.association.instalments)
        .awaited()
        .filter(
            subscription__status__in=[Subscription.Status.VALIDATED, Subscription.Status.ACTIVE],
            deposit_not_before__gte=desk.today - timedelta(days=desk.association.grace_days),
        )
        .order_by(Alphabetical("household__name"))
        .values("subscription", "household__name", "subscription__offer__title")
        .annotate(cents=Sum("amount_cents"))
    )
    rows = yield facts(missing, "subscription", "household__name", "subscription__offer__title", "cents")
    if not rows:
        return
    lines = [
        (
            _("%(household)s, %(offer)s: %(sum)s") % {"household": household, "offer": offer, "sum": euros_text(cents)},
            desk.url("contracts:subscription", pk),
        )
        for pk, household, offer, cents in rows[:LINES]
    ]
    yield Card(
        ngettext("%(count)s running contract lacks a payment", "%(count)s running contracts lack a payment", len(rows))
        % {"count": len(rows)},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:payments"),
        note=_("The baskets go on; the payment has to come again."),
        icon="money",
        lines=_and_more(lines, len(rows)),
    )


@rule(Role.TREASURER, Role.LIAISON, Role.COMMITTEE)
def cheques_to_hand_over(desk):
    """Cheques held whose day has come: the farm can have them (BR-39)."""
    held = (
        desk.of_farms(desk.association.instalments)
        .filter(status=Instalment.Status.RECEIVED, deposit_not_before__lte=desk.today)
        .order_by(Alphabetical("farm__name"))
        .values("farm__slug", "farm__name")
        .annotate(count=Count("pk"), cents=Sum("amount_cents"))
    )
    rows = yield facts(held, "farm__slug", "farm__name", "count", "cents")
    if not rows:
        return
    total = sum(count for _slug, _name, count, _cents in rows)
    lines = [
        (
            ngettext("%(farm)s: %(count)s cheque, %(sum)s", "%(farm)s: %(count)s cheques, %(sum)s", count)
            % {"farm": name, "count": count, "sum": euros_text(cents)},
            desk.url("contracts:deposits", farm=slug),
        )
        for slug, name, count, cents in rows
    ]
    yield Card(
        ngettext("%(count)s cheque to hand over", "%(count)s cheques to hand over", total) % {"count": total},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:deposits"),
        note=_("Their day has come; the slip prints in two copies."),
        icon="cheque",
        lines=_and_more(lines, len(lines)),
    )


def _arrivals(desk, instalments):
    """Cheques handed to a farm, and announced transfers whose day has come."""
    waiting = instalments.filter(
        Q(status=Instalment.Status.HANDED_OVER)
        | Q(status=Instalment.Status.DECLARED, deposit_not_before__lte=desk.today)
    )
    rows = yield facts(
        waiting.order_by("status").values("status").annotate(count=Count("pk"), cents=Sum("amount_cents")),
        "status",
        "count",
        "cents",
    )
    if not rows:
        return
    words = {
        Instalment.Status.HANDED_OVER: _("Cheques to cash: %(count)s, %(sum)s"),
        Instalment.Status.DECLARED: _("Transfers announced: %(count)s, %(sum)s"),
    }
    url = desk.url("contracts:farm_payments")
    total = sum(count for _status, count, _cents in rows)
    yield Card(
        ngettext("%(count)s payment to confirm", "%(count)s payments to confirm", total) % {"count": total},
        url,
        note=_("One look at the bank statement, one tick each."),
        icon="money",
        lines=[(words[status] % {"count": count, "sum": euros_text(cents)}, url) for status, count, cents in rows],
    )


@rule(Role.FARMER)
def payments_to_confirm(desk):
    """What the farm's bank statement should show: cheques handed over, transfers announced (BR-38)."""
    return _arrivals(desk, desk.of_farms(desk.association.instalments))


@rule(Role.TREASURER)
def payments_to_confirm_for_farms(desk):
    """The same, by the treasurer, where the association has chosen so (BR-5)."""
    instalments = desk.association.instalments.all()
    if not desk.association.treasurer_confirms_farm_payments:
        instalments = instalments.none()
    return _arrivals(desk, instalments)


# Members


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def fees_awaited(desk):
    """Households whose fee of a current or coming period has not come, or that have signed without any (BR-2)."""
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    pending = known.filter(status=Membership.Status.PENDING, period__ends_on__gte=desk.today)
    signed = Subscription.objects.live().filter(household=OuterRef("pk"))
    households = desk.association.households.present(desk.today)
    awaited = households.filter(Exists(pending) | (Exists(signed) & ~Exists(known)))
    rows = yield facts(awaited.order_by().values("association").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext("%(count)s membership fee is awaited", "%(count)s membership fees are awaited", count)
        % {"count": count},
        desk.url("amap:memberships", show="awaited"),
        note=_("New contracts are not valid before."),
        icon="money",
    )


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def contracts_without_membership(desk):
    """Households whose membership ran out during a valid contract (BR-2: the contract goes on, somebody asks)."""
    eating = Subscription.objects.filter(
        household=OuterRef("pk"), status__in=[Subscription.Status.VALIDATED, Subscription.Status.ACTIVE]
    )
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    later = known.filter(period__ends_on__gte=desk.today)
    some = desk.association.households.filter(Exists(eating), Exists(known), ~Exists(later))
    rows = yield facts(some.order_by().values("association").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext(
            "%(count)s household has a contract, and its membership has run out",
            "%(count)s households have a contract, and their membership has run out",
            count,
        )
        % {"count": count},
        desk.url("amap:memberships", show="awaited"),
        note=_("They keep their baskets, and cannot sign a new contract before."),
        icon="person",
    )


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def memberships_ending(desk):
    """The next membership year to end within six weeks, and who has not renewed (BR-2)."""
    later = MembershipPeriod.objects.filter(association=OuterRef("association"), starts_on__gt=OuterRef("ends_on"))
    renewed = Membership.objects.exclude(status=Membership.Status.CANCELLED).filter(
        household=OuterRef("household"), period__starts_on__gt=OuterRef("period__ends_on")
    )
    left = (
        Membership.objects.paid()
        .filter(~Exists(renewed), period=OuterRef("pk"), household__left_on=None)
        .order_by()
        .values("period")
        .annotate(count=Count("pk"))
        .values("count")
    )
    ending = desk.association.periods.filter(ends_on__range=(desk.today, desk.today + ENDS_SOON))
    rows = yield facts(
        ending.order_by("ends_on").annotate(left=Subquery(left), is_followed=Exists(later)),
        *("ends_on", "left", "is_followed"),
    )
    rows = [row for row in rows if row[1]]
    if not rows:
        return
    ends_on, count, is_followed = rows[0]
    yield Card(
        ngettext("%(count)s membership ends on %(day)s", "%(count)s memberships end on %(day)s", count)
        % {"count": count, "day": _day(ends_on)},
        desk.url("amap:memberships") if is_followed else desk.url("amap:period_new"),
        note=_("The next year is there: record the fees as they come.")
        if is_followed
        else _("First make the next year."),
        icon="calendar",
    )


@rule(Role.SECRETARY, Role.COMMITTEE)
def invitations_unanswered(desk):
    """Invitations sent some days ago that nobody accepted."""
    sent = Invitation.objects.filter(
        association=desk.association, accepted_at=None, revoked_at=None, created_at__lt=desk.now - INVITED_FOR
    ).exclude(member__user__isnull=False)
    rows = yield facts(
        sent.order_by()
        .values("association")
        .annotate(count=Count("pk"), too_old=Count("pk", filter=Q(expires_at__lte=desk.now))),
        "count",
        "too_old",
    )
    if not rows:
        return
    ((count, too_old),) = rows
    yield Card(
        ngettext("%(count)s invitation is not accepted", "%(count)s invitations are not accepted", count)
        % {"count": count},
        desk.url("amap:invitations"),
        note=ngettext(
            "%(count)s link is too old: send it again.", "%(count)s links are too old: send them again.", too_old
        )
        % {"count": too_old}
        if too_old
        else _("The links still work; a word at the distribution helps."),
        icon="mail",
    )


@rule(Role.COMMITTEE)
def mandates_ending(desk):
    """Roles whose mandate ends within six weeks (BR-5)."""
    ending = desk.association.seats.filter(ends_on__range=(desk.today, desk.today + ENDS_SOON))
    rows = yield facts(ending.order_by("ends_on"), "user__name", "role", "ends_on", most=20)
    if not rows:
        return
    url = desk.url("amap:seats")
    lines = [(pair(name, f"{CommitteeSeat.Role(role).label} ({_day(ends_on)})"), url) for name, role, ends_on in rows]
    yield Card(
        ngettext("%(count)s role ends soon", "%(count)s roles end soon", len(rows)) % {"count": len(rows)},
        url,
        icon="hand",
        lines=_and_more(lines, len(lines)),
    )


# The machinery


@rule(Role.COMMITTEE, Role.SECRETARY)
def letters_not_sent(desk):
    """Letters that did not leave, or of which nobody knows whether they did."""
    stuck = desk.association.letters.filter(status__in=[Letter.Status.FAILED, Letter.Status.UNKNOWN])
    rows = yield facts(stuck.order_by().values("status").annotate(count=Count("pk")), "status", "count")
    if not rows:
        return
    total = sum(count for _status, count in rows)
    yield Card(
        ngettext("%(count)s letter may not have arrived", "%(count)s letters may not have arrived", total)
        % {"count": total},
        desk.url("amap:troubles"),
        note=_("Telephone, or send again."),
        icon="mail",
    )


@rule(Role.COMMITTEE)
def work_given_up(desk):
    """Jobs the worker has tried three times; those of the whole installation too."""
    parked = Job.objects.filter(Q(association=desk.association) | Q(association=None), status=Job.Status.PARKED)
    rows = yield facts(parked.order_by().values("status").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext("%(count)s piece of work was given up", "%(count)s pieces of work were given up", count)
        % {"count": count},
        desk.url("amap:troubles"),
        note=_("Try it again; if it fails again, tell whoever runs this site."),
        icon="alert",
    )
