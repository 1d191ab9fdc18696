"""Members: fees, memberships, invitations, mandates."""

from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import Card, and_more, day_text, rule
from amap.facts import facts
from amap.models import CommitteeSeat, Household, Invitation, Membership, MembershipPeriod
from amap.words import pair
from contracts.models import Subscription

ENDS_SOON = timedelta(days=45)
INVITED_FOR = timedelta(days=3)


def _unpaid(here):
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    pending = known.filter(status=Membership.Status.PENDING, period__ends_on__gte=here.today)
    signed = Subscription.objects.live().filter(household=OuterRef("pk"))
    awaited = here.all(Household).present(here.today).filter(Exists(pending) | (Exists(signed) & ~Exists(known)))
    return facts(awaited.order_by().values("association").annotate(count=Count("pk")), "count")


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE, asks=_unpaid)
def fees_awaited(desk, rows):
    """Households whose fee of a current or coming period has not come, or that have signed without any (BR-2)."""
    ((count,),) = rows
    return Card(
        ngettext("%(count)s membership fee is awaited", "%(count)s membership fees are awaited", count)
        % {"count": count},
        desk.url("amap:memberships", show="awaited"),
        note=_("New contracts are not valid before."),
        icon="money",
    )


def _run_out(here):
    eating = Subscription.objects.filter(
        household=OuterRef("pk"), status__in=[Subscription.Status.VALIDATED, Subscription.Status.ACTIVE]
    )
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    later = known.filter(period__ends_on__gte=here.today)
    some = here.all(Household).filter(Exists(eating), Exists(known), ~Exists(later))
    return facts(some.order_by().values("association").annotate(count=Count("pk")), "count")


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE, asks=_run_out)
def contracts_without_membership(desk, rows):
    """Households whose membership ran out during a valid contract (BR-2: the contract goes on, somebody asks)."""
    ((count,),) = rows
    return Card(
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


def _ending(here):
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
    ending = here.all(MembershipPeriod).filter(ends_on__range=(here.today, here.today + ENDS_SOON))
    return facts(
        ending.order_by("ends_on").annotate(left=Subquery(left), is_followed=Exists(later)),
        *("ends_on", "left", "is_followed"),
    )


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE, asks=_ending)
def memberships_ending(desk, rows):
    """The next membership year to end within six weeks, and who has not renewed (BR-2)."""
    rows = [row for row in rows if row[1]]
    if not rows:
        return None
    ends_on, count, is_followed = rows[0]
    return Card(
        ngettext("%(count)s membership ends on %(day)s", "%(count)s memberships end on %(day)s", count)
        % {"count": count, "day": day_text(ends_on)},
        desk.url("amap:memberships") if is_followed else desk.url("amap:period_new"),
        note=_("The next year is there: record the fees as they come.")
        if is_followed
        else _("First make the next year."),
        icon="calendar",
    )


def _unanswered(here):
    sent = (
        here.all(Invitation)
        .filter(accepted_at=None, revoked_at=None, created_at__lt=here.now - INVITED_FOR)
        .exclude(member__user__isnull=False)
        .order_by()
        .values("association")
        .annotate(count=Count("pk"), too_old=Count("pk", filter=Q(expires_at__lte=here.now)))
    )
    return facts(sent, "count", "too_old")


@rule(Role.SECRETARY, Role.COMMITTEE, asks=_unanswered)
def invitations_unanswered(desk, rows):
    """Invitations sent some days ago that nobody accepted."""
    ((count, too_old),) = rows
    return Card(
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


def _mandates(here):
    ending = here.all(CommitteeSeat).filter(ends_on__range=(here.today, here.today + ENDS_SOON))
    return facts(ending.order_by("ends_on"), "user__name", "role", "ends_on", most=20)


@rule(Role.COMMITTEE, asks=_mandates)
def mandates_ending(desk, rows):
    """Roles whose mandate ends within six weeks (BR-5)."""
    url = desk.url("amap:seats")
    lines = [
        (pair(name, f"{CommitteeSeat.Role(role).label} ({day_text(ends_on)})"), url) for name, role, ends_on in rows
    ]
    return Card(
        ngettext("%(count)s role ends soon", "%(count)s roles end soon", len(rows)) % {"count": len(rows)},
        url,
        icon="hand",
        lines=and_more(lines, len(lines)),
    )
