"""Sign-ups and payments: keys that lack, what is late, cheques to hand over, what to confirm."""

from datetime import date, timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import LINES, Card, and_more, day_text, rule
from amap.euros import euros_text
from amap.facts import facts
from amap.names import Alphabetical
from contracts.models import Instalment, Subscription


def _unfinished(here):
    waiting = (
        here.of_farms(here.all(Subscription), "offer__farm")
        .filter(status=Subscription.Status.AWAITING_DOCUMENTS)
        .order_by(Alphabetical("offer__title"))
        .values("offer", "offer__title")
        .annotate(count=Count("pk"), until=Min("reserved_until__date"))
    )
    return facts(waiting, "offer", "offer__title", "count", "until")


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON, asks=_unfinished)
def signups_waiting(desk, rows):
    """Sign-ups that lack one of their three keys (BR-21)."""
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
    return Card(
        ngettext("%(count)s sign-up waits for a key", "%(count)s sign-ups wait for a key", total) % {"count": total},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:subscriptions"),
        note=(
            _("A place was kept until %(day)s without its payments: telephone.")
            if past
            else _("The first place is kept until %(day)s.")
        )
        % {"day": day_text(soonest)},
        icon="contract",
        lines=and_more(lines, len(lines)),
    )


def _late(here):
    late = (
        here.of_farms(here.all(Instalment))
        .overdue(here.today, here.grace_days)
        .order_by()
        .values("association")
        .annotate(count=Count("pk"), households=Count("household", distinct=True), cents=Sum("amount_cents"))
    )
    return facts(late, "count", "households", "cents")


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON, asks=_late)
def late_payments(desk, rows):
    """Payments whose day and days of grace are past, and nothing came (BR-41)."""
    ((count, households, cents),) = rows
    return Card(
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


def _taken_back(here):
    missing = (
        here.of_farms(here.all(Instalment))
        .awaited()
        .filter(
            subscription__status__in=[Subscription.Status.VALIDATED, Subscription.Status.ACTIVE],
            deposit_not_before__gte=here.today - timedelta(days=here.grace_days),
        )
        .order_by(Alphabetical("household__name"))
        .values("subscription", "household__name", "subscription__offer__title")
        .annotate(cents=Sum("amount_cents"))
    )
    return facts(missing, "subscription", "household__name", "subscription__offer__title", "cents")


@rule(Role.COMMITTEE, Role.TREASURER, Role.LIAISON, asks=_taken_back)
def running_without_payment(desk, rows):
    """Contracts that run although a payment was taken back or bounced, as long as it is not late (BR-21, BR-41)."""
    lines = [
        (
            _("%(household)s, %(offer)s: %(sum)s") % {"household": household, "offer": offer, "sum": euros_text(cents)},
            desk.url("contracts:subscription", pk),
        )
        for pk, household, offer, cents in rows[:LINES]
    ]
    return Card(
        ngettext("%(count)s running contract lacks a payment", "%(count)s running contracts lack a payment", len(rows))
        % {"count": len(rows)},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:payments"),
        note=_("The baskets go on; the payment has to come again."),
        icon="money",
        lines=and_more(lines, len(rows)),
    )


def _held(here):
    held = (
        here.of_farms(here.all(Instalment))
        .filter(status=Instalment.Status.RECEIVED, deposit_not_before__lte=here.today)
        .order_by(Alphabetical("farm__name"))
        .values("farm__slug", "farm__name")
        .annotate(count=Count("pk"), cents=Sum("amount_cents"))
    )
    return facts(held, "farm__slug", "farm__name", "count", "cents")


@rule(Role.TREASURER, Role.LIAISON, Role.COMMITTEE, asks=_held)
def cheques_to_hand_over(desk, rows):
    """Cheques held whose day has come: the farm can have them (BR-39)."""
    total = sum(count for _slug, _name, count, _cents in rows)
    lines = [
        (
            ngettext("%(farm)s: %(count)s cheque, %(sum)s", "%(farm)s: %(count)s cheques, %(sum)s", count)
            % {"farm": name, "count": count, "sum": euros_text(cents)},
            desk.url("contracts:deposits", farm=slug),
        )
        for slug, name, count, cents in rows
    ]
    return Card(
        ngettext("%(count)s cheque to hand over", "%(count)s cheques to hand over", total) % {"count": total},
        lines[0][1] if len(lines) == 1 else desk.url("contracts:deposits"),
        note=_("Their day has come; the slip prints in two copies."),
        icon="cheque",
        lines=and_more(lines, len(lines)),
    )


def _arriving(here, **only):
    """Cheques handed to a farm, and announced transfers whose day has come."""
    waiting = here.of_farms(here.all(Instalment)).filter(
        Q(status=Instalment.Status.HANDED_OVER)
        | Q(status=Instalment.Status.DECLARED, deposit_not_before__lte=here.today),
        **only,
    )
    sums = waiting.order_by("status").values("status").annotate(count=Count("pk"), cents=Sum("amount_cents"))
    return facts(sums, "status", "count", "cents")


@rule(Role.FARMER, asks=_arriving)
def payments_to_confirm(desk, rows):
    """What the farm's bank statement should show: cheques handed over, transfers announced (BR-38)."""
    words = {
        Instalment.Status.HANDED_OVER: _("Cheques to cash: %(count)s, %(sum)s"),
        Instalment.Status.DECLARED: _("Transfers announced: %(count)s, %(sum)s"),
    }
    url = desk.url("contracts:farm_payments")
    total = sum(count for _status, count, _cents in rows)
    return Card(
        ngettext("%(count)s payment to confirm", "%(count)s payments to confirm", total) % {"count": total},
        url,
        note=_("One look at the bank statement, one tick each."),
        icon="money",
        lines=[(words[status] % {"count": count, "sum": euros_text(cents)}, url) for status, count, cents in rows],
    )


@rule(Role.TREASURER, asks=lambda here: _arriving(here, association__treasurer_confirms_farm_payments=True))
def payments_to_confirm_for_farms(desk, rows):
    """The same, by the treasurer, where the association has chosen so (BR-5)."""
    return payments_to_confirm.card(desk, rows)
