"""Whom we invited, and who has not answered yet."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import role_required
from amap.actions import invitations as actions
from amap.models import Invitation
from amap.pages import page_of
from amap.views.people import WRITERS


@role_required(*WRITERS)
@require_POST
def invite_all(request):
    """Invite everybody not invited yet."""
    count = actions.invite_all(request.association, by=request.user, now=clock.now())
    said = ngettext("%(count)d invitation is on its way.", "%(count)d invitations are on their way.", count)
    messages.success(request, said % {"count": count})
    return redirect("amap:invitations", request.standing.slug)


@role_required(*WRITERS)
def invitations(request):
    """Whom we invited, and who has not answered yet."""
    rows = (
        Invitation.objects.filter(association=request.standing.association_id, accepted_at=None, revoked_at=None)
        .select_related("member__household", "farm", "invited_by")
        .order_by("-created_at")
    )
    now = clock.now()
    page = page_of(request, rows)
    lines = [(one, one.expires_at <= now) for one in page]
    return render(request, "amap/people/invitations.html", {"page": page, "lines": lines})


def _invitation(request, pk):
    rows = Invitation.objects.filter(association=request.standing.association_id).manageable_by(request.standing)
    return get_object_or_404(rows.select_related("association", "member", "farm"), pk=pk)


def _after_invitation(request, invitation):
    """Back to where the button was: the list of all of them says so, else the page of what it invites to."""
    if "from_list" in request.POST:
        return redirect("amap:invitations", request.standing.slug)
    if invitation.role:
        return redirect("amap:seats", request.standing.slug)
    if invitation.member:
        return redirect("amap:household", request.standing.slug, invitation.member.household_id)
    if invitation.farm:
        return redirect("amap:farm", request.standing.slug, invitation.farm.slug)
    return redirect("amap:invitations", request.standing.slug)


@require_POST
def invitation_resend(request, pk):
    """A new link; the old one stops working."""
    invitation = _invitation(request, pk)
    actions.resend(invitation, by=request.user, now=clock.now())
    messages.success(request, _("A new invitation is on its way to %(email)s.") % {"email": invitation.email})
    return _after_invitation(request, invitation)


@require_POST
def invitation_revoke(request, pk):
    """Take an invitation back."""
    invitation = _invitation(request, pk)
    actions.revoke(invitation, by=request.user, now=clock.now())
    messages.success(request, _("The invitation to %(email)s no longer works.") % {"email": invitation.email})
    return _after_invitation(request, invitation)
