"""The demonstration's doors: one click, and one is somebody."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from amap.models import User

# Name in the address: (e-mail, who that is, what they come for).
PERSONAS = {
    "member": (
        "camille.fabregues@example.org",
        _("Camille, member"),
        _("Five contracts, a shift now and then. What do I collect on Thursday, and what do I owe?"),
    ),
    "late-payer": (
        "sebastien.gaillardon@example.org",
        _("Sébastien, member with a late payment"),
        _("His transfer of November did not arrive."),
    ),
    "farmer": (
        "maelle.kerdavid@example.org",
        _("Maëlle, farmer"),
        _("Grows the vegetables: posts the harvest list, cashes cheques, has proposed next year's contract."),
    ),
    "liaison": (
        "romain.bastide@example.org",
        _("Romain, farm liaison"),
        _("Keeps the link with the vegetable farm and the baker, and signs for households without e-mail."),
    ),
    "treasurer": (
        "bernard.chastagner@example.org",
        _("Bernard, treasurer"),
        _("Has a pile of cheques in front of him."),
    ),
    "distribution-lead": (
        "francoise.duvivier@example.org",
        _("Françoise, distribution lead"),
        _("Holds the distribution: the sheet, the volunteers, the keys."),
    ),
    "committee": (
        "claire.aubertin@example.org",
        _("Claire, committee"),
        _("Sees what waits: an offer to accept, holes in the roster, late payments."),
    ),
    "stranger": (
        "passant@example.org",
        _("A stranger"),
        _("Has an account here, and no place in this AMAP."),
    ),
}


@require_safe
@login_not_required
def doors(request):
    """Who would you like to be?"""
    people = [{"persona": persona, "name": name, "about": about} for persona, (_e, name, about) in PERSONAS.items()]
    return render(request, "amap/demo/doors.html", {"people": people})


@require_POST
@login_not_required
def enter(request, persona):
    """Sign in as somebody of the demonstration."""
    if persona not in PERSONAS:
        raise Http404
    user = User.objects.get(email=PERSONAS[persona][0])
    login(request, user, backend="amap.accounts.StandingBackend")
    return redirect("site:entrance")
