"""Households and their persons."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.actions import invitations, people
from amap.errors import refused_into
from amap.forms.people import (
    HouseholdFilter,
    HouseholdForm,
    LeaveForm,
    MemberForm,
    NewHouseholdForm,
)
from amap.models import Household, Invitation, Member, Membership
from amap.pages import page_of

READERS = (Role.COMMITTEE, Role.TREASURER, Role.SECRETARY, Role.LIAISON)
WRITERS = (Role.COMMITTEE, Role.SECRETARY)


@role_required(*READERS)
def households(request):
    """The association's households: search, filters, a page at a time."""
    today, standing = clock.today(), request.standing
    rows = Household.objects.filter(association=standing.association_id).visible_to(standing)
    rows = rows.annotate(is_paid=Exists(Membership.objects.covering(today).filter(household=OuterRef("pk"))))
    search = HouseholdFilter(request.GET)
    rows = search.apply(rows, today=today)
    invited = Exists(Invitation.objects.open(clock.now()).filter(member=OuterRef("pk")))
    persons = Member.objects.annotate(is_invited=invited)
    page = page_of(request, rows.prefetch_related(Prefetch("members", persons)))
    lines = [(household, household.members.all(), *_accounts(household.members.all())) for household in page]
    to_invite = 0
    if standing.has(*WRITERS):
        to_invite = (
            Member.objects.filter(association=standing.association_id, user=None, household__left_on=None)
            .exclude(email="")
            .exclude(invited)
            .count()
        )
    return render(
        request,
        "amap/people/households.html",
        {
            "page": page,
            "lines": lines,
            "search": search,
            "to_invite": to_invite,
            "may_write": standing.has(*WRITERS),
        },
    )


def _accounts(persons):
    """(how the persons of a household sign in, each way said once; whether all of them have an account)."""
    return ", ".join(dict.fromkeys(_account(one) for one in persons)), all(one.user_id for one in persons)


def _account(person):
    if person.user_id:
        return _("signs in")
    if person.is_invited:
        return _("invited")
    return _("not invited") if person.email else _("on paper")


def _household(request, pk):
    rows = Household.objects.filter(association=request.standing.association_id)
    return get_object_or_404(rows.visible_to(request.standing), pk=pk)


def _own_household(request, pk):
    """A household the visitor may write on. One they only see is refused in words; an unseen one is not there."""
    household = _household(request, pk)
    mine = Household.objects.filter(pk=pk).manageable_by(request.standing)
    if not mine.exists():
        raise PermissionDenied(_("the committee, the secretary"))
    return household


def household(request, pk):
    """One household: its people, its memberships, its contracts."""
    standing = request.standing
    it = _household(request, pk)
    invited = Invitation.objects.open(clock.now()).filter(member=OuterRef("pk"))
    mine = Member.objects.manageable_by(standing).filter(pk=OuterRef("pk"))
    persons = it.members.select_related("user").annotate(
        is_invited=Exists(invited), invitation_id=invited.values("pk")[:1], may_edit=Exists(mine)
    )
    may_write = standing.has(*WRITERS) or it.pk == standing.household_id
    memberships = list(it.memberships.select_related("period").order_by("-period__starts_on"))
    today = clock.today()
    to_pay = None
    if standing.has(Role.COMMITTEE, Role.TREASURER):
        known = [one.period_id for one in memberships]
        running = request.association.periods.filter(starts_on__lte=today, ends_on__gte=today)
        to_pay = running.exclude(pk__in=known).first()
    return render(
        request,
        "amap/people/household.html",
        {
            "household": it,
            "persons": [(person, person.may_edit) for person in persons],
            "memberships": memberships,
            "to_pay": to_pay,
            "contracts": it.subscriptions.visible_to(standing)
            .select_related("offer__farm")
            .order_by("-signed_at")[:20],
            "may_write": may_write,
            "may_let_leave": standing.has(*WRITERS),
            "may_see_fees": standing.runs_association or it.pk == standing.household_id,
            "is_mine": it.pk == standing.household_id,
            "has_left": it.left_on is not None and it.left_on <= today,
            "room": request.association.people_per_household_max - len(persons),
        },
    )


def my_household(request):
    """Straight to one's own household."""
    if not request.standing.household_id:
        raise Http404
    return redirect("amap:household", request.standing.slug, request.standing.household_id)


@role_required(*WRITERS)
def household_new(request):
    """Write a household down, with its first persons, and invite them."""
    form = NewHouseholdForm(request.POST or None, initial={"joined_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with refused_into(form):
            made = people.add_household(
                request.association,
                name=data["name"],
                address=data["address"],
                postal_code=data["postal_code"],
                city=data["city"],
                joined_on=data["joined_on"],
                people=form.people(),
                with_invitations=data["invite"],
                by=request.user,
                now=clock.now(),
            )
            messages.success(request, _("%(name)s is in, as %(code)s.") % {"name": made.name, "code": made.code})
            return redirect("amap:household", request.standing.slug, made.pk)
    return render(request, "amap/people/household_new.html", {"form": form})


def household_edit(request, pk):
    """Name and address."""
    it = _own_household(request, pk)
    form = HouseholdForm(request.POST or None, instance=it)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            people.edit_household(it, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("Saved."))
            return redirect("amap:household", request.standing.slug, pk)
    return render(request, "amap/people/household_edit.html", {"form": form, "household": it})


@role_required(*WRITERS)
def household_leave(request, pk):
    """A household leaves: the day and the reason are asked, the consequences said first."""
    it = _household(request, pk)
    form = LeaveForm(request.POST or None, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            people.leave(it, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("%(name)s leaves. Thank them!") % {"name": it.name})
            return redirect("amap:household", request.standing.slug, pk)
    return render(request, "amap/people/household_leave.html", {"form": form, "household": it})


@role_required(*WRITERS)
@require_POST
def household_return(request, pk):
    """The household is there again."""
    it = _household(request, pk)
    people.come_back(it, by=request.user, now=clock.now())
    messages.success(request, _("%(name)s is back.") % {"name": it.name})
    return redirect("amap:household", request.standing.slug, pk)


def member_new(request, pk):
    """One more person in a household."""
    it = _own_household(request, pk)
    form = MemberForm(request.POST or None, initial={"language": request.LANGUAGE_CODE})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            person = people.add_member(it, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("%(name)s is in the household.") % {"name": person.name})
            return redirect("amap:household", request.standing.slug, pk)
    return render(request, "amap/people/member_edit.html", {"form": form, "household": it})


def _member(request, pk):
    """A person the visitor may write on. One they only see is refused in words; an unseen one is not there."""
    rows = Member.objects.filter(association=request.standing.association_id).select_related("household", "user")
    person = get_object_or_404(rows, pk=pk)
    if not rows.manageable_by(request.standing).filter(pk=pk).exists():
        _household(request, person.household_id)
        raise PermissionDenied(_("the committee, the secretary"))
    return person


def member_edit(request, pk):
    """What is known of a person."""
    person = _member(request, pk)
    form = MemberForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            people.edit_member(person, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("Saved."))
            return redirect("amap:household", request.standing.slug, person.household_id)
    return render(
        request,
        "amap/people/member_edit.html",
        # The form writes what was typed into its person; the page is still about the one that is stored.
        {"form": form, "household": person.household, "member": Member.objects.get(pk=pk)},
    )


@require_POST
def member_remove(request, pk):
    """A person leaves their household."""
    person = _member(request, pk)
    people.remove_member(person, by=request.user, now=clock.now())
    messages.success(request, _("%(name)s is no longer in this household.") % {"name": person.name})
    if person.user_id == request.user.pk:
        return redirect("site:entrance")
    return redirect("amap:household", request.standing.slug, person.household_id)


@require_POST
def member_invite(request, pk):
    """Send a person their invitation, or a new one."""
    person = _member(request, pk)
    invitations.invite(request.association, member=person, by=request.user, now=clock.now())
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": person.email})
    return redirect("amap:household", request.standing.slug, person.household_id)
