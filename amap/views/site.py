"""Above associations: the entrance, the first day, an invitation, the language, one's own account."""

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, farms_of
from amap.actions import founding, invitations, people
from amap.errors import Refused, refused_into
from amap.forms.people import AcceptForm, ProfileForm, StartForm, WelcomeFarmForm, membership_year
from amap.models import Association, Farm, Member, User


@login_not_required
def entrance(request):
    """Straight to the only place one has; a choice where there are several; on an empty site, the first page."""
    if not request.user.is_authenticated:
        if not Association.objects.exists():
            return redirect("site:start")
        return redirect_to_login("/")
    farms = farms_of(request.user)
    # Who only farms is at home on the farm's desk, whatever the number of its associations.
    standings = [one for one in request.user.standings.values() if one.roles != {Role.FARMER}]
    if standings and len(standings) + len(farms) == 1:
        return redirect("amap:home", standings[0].slug)
    if len(farms) == 1 and not standings:
        return redirect("site:farm_desk", farms[0][1])
    return render(request, "amap/site/entrance.html", {"standings": standings, "farms": farms})


def unsent(request):
    """What was being sent when the session had ended, to be sent again now that its author has signed in."""
    kept = request.session.get("unsent")
    if not kept or datetime.fromisoformat(kept["until"]) < clock.now():
        return redirect("site:entrance")
    return render(request, "amap/site/unsent.html", {"kept": kept})


@login_not_required
@never_cache
def start(request):
    """The first page of a new installation. Once an association exists there is no such page."""
    if Association.objects.exists():
        raise Http404
    first, last = membership_year(clock.today())
    initial = {"period_starts_on": first, "period_ends_on": last}
    form = StartForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        others = form.others()
        with refused_into(form):
            association, user = founding.found(
                **form.founding(),
                language=request.LANGUAGE_CODE,
                others=others,
                now=clock.now(),
                today=clock.today(),
            )
            login(request, user)
            messages.success(request, _("Welcome! %(name)s has its place here now.") % {"name": association.name})
            if others:
                messages.info(request, _("The invitations are on their way."))
            return redirect("amap:home", association.slug)
    return render(request, "amap/site/start.html", {"form": form})


@login_not_required
@never_cache
def invitation(request, token):
    """What an invitation offers, and on POST: taking it. Looking at it changes nothing (T5)."""
    now = clock.now()
    found = invitations.open_invitation(token, now=now)
    user = request.user if request.user.is_authenticated else None
    account = found and User.objects.filter(email=found.email).first()
    is_for_another = user and (account is None or account.pk != user.pk)
    if found is None or is_for_another or (account and not account.is_active):
        return render(request, "amap/site/no_invitation.html", status=404)
    if account and not user:
        return render(request, "amap/site/invitation.html", {"invitation": found, "must_sign_in": True})
    if user is None:
        name = found.member.name if found.member else ""
        language = found.member.language if found.member else request.LANGUAGE_CODE
        form = AcceptForm(request.POST or None, initial={"name": name, "language": language})
    elif found.farm_name:
        form = WelcomeFarmForm(request.POST or None, farms=Farm.objects.filter(farmers__user=user))
    else:
        form = None
    if request.method == "POST" and (form is None or form.is_valid()):
        answers = form.cleaned_data if form else {}
        try:
            member = invitations.accept(token, **answers, by=user, now=now)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect(request.path)
        if user is None:
            login(request, member)
        messages.success(request, _("Welcome! You belong to %(name)s now.") % {"name": found.association.name})
        if found.farm_name and not answers.get("farm"):
            messages.info(request, _("Now your farm's sheet: contracts, cheques and transfers need it."))
            new_farm = Farm.objects.filter(farmers__user=member).latest("pk")
            return redirect("amap:farm_edit", found.association.slug, new_farm.slug)
        return redirect("amap:home", found.association.slug)
    return render(request, "amap/site/invitation.html", {"invitation": found, "form": form})


def profile(request):
    """One's own name, language and telephone; the way to the password and the address."""
    members = list(Member.objects.filter(user=request.user).select_related("association", "household"))
    user = request.user
    form = ProfileForm(request.POST or None, members=members, initial={"name": user.name, "language": user.language})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            people.edit_profile(
                user,
                name=form.cleaned_data["name"],
                language=form.cleaned_data["language"],
                phones=form.phones(),
                now=clock.now(),
            )
            response = redirect("site:profile")
            remember_language(response, form.cleaned_data["language"])
            messages.success(request, _("Your profile is saved."))
            return response
    return render(request, "amap/site/profile.html", {"form": form, "members": members})


@login_not_required
@require_POST
def language(request):
    """Remember the language on this device, and on the account of whoever is signed in."""
    chosen = request.POST.get("language")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    if chosen in dict(settings.LANGUAGES):
        remember_language(response, chosen)
        if request.user.is_authenticated and request.user.language != chosen:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
    return response


def remember_language(response, chosen):
    """One year, on this device."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, chosen, max_age=365 * 24 * 3600, secure=settings.HTTPS, samesite="Lax"
    )
