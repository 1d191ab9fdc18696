"""Who holds which role, until when."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.actions import invitations
from amap.actions import seats as actions
from amap.errors import refused_into
from amap.forms.people import SeatForm, SeatInvitationForm
from amap.models import CommitteeSeat, Invitation


@role_required(Role.COMMITTEE)
def seats(request):
    """Who holds which role, until when; who held it before."""
    today, standing = clock.today(), request.standing
    rows = list(CommitteeSeat.objects.filter(association=standing.association_id).select_related("user"))
    current = [one for one in rows if one.starts_on <= today and (one.ends_on is None or one.ends_on >= today)]
    to_come = [one for one in rows if one.starts_on > today]
    past = [one for one in rows if one.ends_on and one.ends_on < today]
    asked = Invitation.objects.open(clock.now()).filter(association=standing.association_id).exclude(role="")
    groups = [
        {
            "name": label,
            "seats": [one for one in current if one.role == role],
            "to_come": [one for one in to_come if one.role == role],
            "asked": [one for one in asked if one.role == role],
        }
        for role, label in CommitteeSeat.Role.choices
    ]
    return render(
        request,
        "amap/people/seats.html",
        {
            "groups": groups,
            "past": sorted(past, key=lambda one: one.ends_on, reverse=True)[:50],
        },
    )


@role_required(Role.COMMITTEE)
def seat_new(request):
    """Give a role to somebody who is here."""
    form = SeatForm(request.POST or None, association=request.association, initial={"starts_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            made = actions.seat(request.association, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(
                request, _("%(name)s: %(role)s.") % {"name": made.user.name, "role": made.get_role_display()}
            )
            return redirect("amap:seats", request.standing.slug)
    return render(request, "amap/people/seat_new.html", {"form": form})


@role_required(Role.COMMITTEE)
def seat_invite(request):
    """Invite somebody into a role."""
    form = SeatInvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            data = form.cleaned_data
            invitations.invite(
                request.association, **data, language=request.LANGUAGE_CODE, by=request.user, now=clock.now()
            )
            messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": data["email"]})
            return redirect("amap:seats", request.standing.slug)
    return render(request, "amap/people/seat_invite.html", {"form": form})


@role_required(Role.COMMITTEE)
@require_POST
def seat_end(request, pk):
    """A role ends today."""
    seat = get_object_or_404(
        CommitteeSeat.objects.select_related("user"), association=request.standing.association_id, pk=pk
    )
    actions.end_seat(seat, today=clock.today(), by=request.user, now=clock.now())
    messages.success(
        request,
        _("%(name)s is no longer: %(role)s. The role may be given again.")
        % {"name": seat.user.name, "role": seat.get_role_display()},
    )
    if seat.user_id == request.user.pk:
        return redirect("site:entrance")
    return redirect("amap:seats", request.standing.slug)
