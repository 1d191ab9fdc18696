"""The farms an association works with: the list, a farm's sheet, its people, the partnership."""

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.actions import farms as actions
from amap.actions import invitations
from amap.errors import refused_into
from amap.forms.farms import FarmerInvitationForm, FarmForm, FarmInvitationForm, LiaisonForm, PartnershipForm
from amap.models import Farmer, FarmLiaison, Invitation, Partnership


@dataclass(frozen=True)
class Rights:
    """What a visitor may do with a farm's sheet in an association."""

    may_edit: bool
    sees_bank: bool
    may_edit_bank: bool
    may_invite: bool


def rights(standing, farm):
    """Who writes on a farm's sheet.

    The farm's people always. The committee and the farm's liaisons as long as no other association works with the farm,
    and its bank details only while the farm has nobody with an account: whoever can change an IBAN can turn other
    people's money away. A member who pays the farm sees the IBAN, nobody else.
    """
    if farm.pk in standing.farm_ids:
        return Rights(True, True, True, True)
    is_ours = standing.is_committee or farm.pk in standing.liaison_farm_ids
    is_only_here = is_ours and not farm.partnerships.exclude(association=standing.association_id).exists()
    is_on_paper = is_only_here and not farm.farmers.exists()
    pays = (
        standing.household_id is not None
        and farm.instalments.filter(household=standing.household_id, association=standing.association_id).exists()
    )
    return Rights(is_only_here, is_on_paper or pays, is_on_paper, is_on_paper)


def farms(request):
    """Today's partner farms, and those of before."""
    today = clock.today()
    liaisons = FarmLiaison.objects.current(today).select_related("user")
    rows = (
        Partnership.objects.filter(association=request.standing.association_id)
        .select_related("farm")
        .prefetch_related(Prefetch("liaisons", liaisons, to_attr="current_liaisons"))
    )
    current = [one for one in rows if one.ended_on is None or one.ended_on >= today]
    past = [one for one in rows if one.ended_on and one.ended_on < today]
    may_add = request.standing.is_committee
    invited = Invitation.objects.open(clock.now()).filter(association=request.standing.association_id)
    return render(
        request,
        "amap/people/farms.html",
        {
            "partnerships": current,
            "past": past,
            "may_add": may_add,
            "invited": invited.exclude(farm_name="") if may_add else [],
        },
    )


def _partnership(request, slug):
    return get_object_or_404(
        Partnership.objects.select_related("farm"), association=request.standing.association_id, farm__slug=slug
    )


def farm(request, slug):
    """A farm's sheet."""
    partnership, standing, today = _partnership(request, slug), request.standing, clock.today()
    it = partnership.farm
    may = rights(standing, it)
    asked = Invitation.objects.open(clock.now()).filter(farm=it, association=standing.association_id)
    return render(
        request,
        "amap/people/farm.html",
        {
            "farm": it,
            "partnership": partnership,
            "has_ended": partnership.ended_on is not None and partnership.ended_on < today,
            "liaisons": partnership.liaisons.current(today).select_related("user"),
            "farmers": it.farmers.select_related("user") if may.may_invite or standing.is_committee else [],
            "invitations": asked if may.may_invite else [],
            "may": may,
            "is_committee": standing.is_committee,
            "is_own": it.pk in standing.farm_ids,
        },
    )


@role_required(Role.COMMITTEE)
def farm_new(request):
    """Write a farm's sheet oneself."""
    form = FarmForm(request.POST or None, with_bank=True)
    link = PartnershipForm(request.POST or None, initial={"since": clock.today()})
    if request.method == "POST" and form.is_valid() & link.is_valid():
        with refused_into(form):
            made = actions.add_farm(
                request.association, **form.cleaned_data, **link.cleaned_data, by=request.user, now=clock.now()
            )
            messages.success(request, _("%(farm)s is a partner now.") % {"farm": made.name})
            return redirect("amap:farm", request.standing.slug, made.slug)
    return render(request, "amap/people/farm_new.html", {"form": form, "link": link})


@role_required(Role.COMMITTEE)
def farm_welcome(request):
    """Invite a farm by e-mail; its people bring the sheet they may already have on this site."""
    form = FarmInvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with refused_into(form):
            invitations.invite(
                request.association, **data, language=request.LANGUAGE_CODE, by=request.user, now=clock.now()
            )
            messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": data["email"]})
            return redirect("amap:farms", request.standing.slug)
    return render(request, "amap/people/farm_welcome.html", {"form": form})


def farm_edit(request, slug):
    """Write on a farm's sheet."""
    partnership = _partnership(request, slug)
    it = partnership.farm
    may = rights(request.standing, it)
    if not may.may_edit:
        raise PermissionDenied(_("the people of the farm"))
    form = FarmForm(request.POST or None, instance=it, with_bank=may.may_edit_bank)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.edit_farm(
                it, association=request.association, **form.cleaned_data, by=request.user, now=clock.now()
            )
            messages.success(request, _("The sheet is saved."))
            return redirect("amap:farm", request.standing.slug, slug)
    return render(request, "amap/people/farm_edit.html", {"form": form, "partnership": partnership, "may": may})


@role_required(Role.COMMITTEE)
def partnership_edit(request, slug):
    """Since when, and how far."""
    partnership = _partnership(request, slug)
    initial = {"since": partnership.since, "distance_km": partnership.distance_km}
    form = PartnershipForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.edit_partnership(partnership, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("Saved."))
            return redirect("amap:farm", request.standing.slug, slug)
    return render(request, "amap/people/partnership.html", {"form": form, "partnership": partnership})


@role_required(Role.COMMITTEE)
@require_POST
def partnership_end(request, slug):
    """The farm and the association part."""
    partnership = _partnership(request, slug)
    actions.end_partnership(partnership, today=clock.today(), by=request.user, now=clock.now())
    messages.success(request, _("The partnership with %(farm)s has ended.") % {"farm": partnership.farm.name})
    return redirect("amap:farms", request.standing.slug)


@role_required(Role.COMMITTEE)
@require_POST
def partnership_resume(request, slug):
    """The farm works with the association again."""
    partnership = _partnership(request, slug)
    actions.resume_partnership(partnership, by=request.user, now=clock.now())
    messages.success(request, _("%(farm)s is a partner again.") % {"farm": partnership.farm.name})
    return redirect("amap:farm", request.standing.slug, slug)


def farmer_invite(request, slug):
    """One more person to act for the farm: asked by the farm, or by the committee for a farm without account."""
    partnership = _partnership(request, slug)
    if not rights(request.standing, partnership.farm).may_invite:
        raise PermissionDenied(_("the people of the farm"))
    form = FarmerInvitationForm(request.POST or None, initial={"email": partnership.farm.email})
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        with refused_into(form):
            invitations.invite(
                request.association,
                farm=partnership.farm,
                email=email,
                language=request.LANGUAGE_CODE,
                by=request.user,
                now=clock.now(),
            )
            messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": email})
            return redirect("amap:farm", request.standing.slug, slug)
    return render(request, "amap/people/farmer_invite.html", {"form": form, "partnership": partnership})


@require_POST
def farmer_remove(request, slug, pk):
    """A person no longer acts for the farm; only the farm's own people say so."""
    partnership = _partnership(request, slug)
    if partnership.farm_id not in request.standing.farm_ids:
        raise PermissionDenied(_("the people of the farm"))
    farmer = get_object_or_404(Farmer.objects.select_related("user"), farm=partnership.farm_id, pk=pk)
    actions.remove_farmer(farmer, association=request.association, by=request.user, now=clock.now())
    messages.success(request, _("%(name)s no longer acts for the farm.") % {"name": farmer.user.name})
    if farmer.user_id == request.user.pk:
        return redirect("site:entrance")
    return redirect("amap:farm", request.standing.slug, slug)


@role_required(Role.COMMITTEE)
def liaison_new(request, slug):
    """Name a liaison for a farm."""
    partnership = _partnership(request, slug)
    form = LiaisonForm(request.POST or None, association=request.association, initial={"starts_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            made = actions.name_liaison(partnership, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("%(name)s is farm liaison now.") % {"name": made.user.name})
            return redirect("amap:farm", request.standing.slug, slug)
    return render(request, "amap/people/liaison_new.html", {"form": form, "partnership": partnership})


@role_required(Role.COMMITTEE)
@require_POST
def liaison_end(request, slug, pk):
    """A liaison's mandate ends today."""
    partnership = _partnership(request, slug)
    liaison = get_object_or_404(partnership.liaisons.select_related("user", "partnership"), pk=pk)
    actions.end_liaison(liaison, today=clock.today(), by=request.user, now=clock.now())
    messages.success(request, _("%(name)s is no longer farm liaison.") % {"name": liaison.user.name})
    return redirect("amap:farm", request.standing.slug, slug)
