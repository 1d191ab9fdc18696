"""The association about itself: settings and places."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from amap import clock
from amap.access import Role, role_required
from amap.actions import settings as actions
from amap.errors import refused_into
from amap.forms.settings import PlaceForm, SettingsForm
from amap.models import Association, PickupPlace


@role_required(Role.COMMITTEE)
def settings(request):
    """Everything the association decides about itself, on one page."""
    # A row of its own: the form writes what was typed into it, and the page's frame names the stored one.
    association = Association.objects.get(pk=request.standing.association_id)
    places = list(association.places.all())
    form = SettingsForm(request.POST or None, instance=association)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.edit_association(request.association, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("The settings are saved."))
            return redirect("amap:settings", request.standing.slug)
    return render(request, "amap/site/settings.html", {"form": form, "places": places})


@role_required(Role.COMMITTEE)
def place_new(request):
    """One more place of distribution."""
    form = PlaceForm(request.POST or None, instance=PickupPlace(association_id=request.standing.association_id))
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            place = actions.add_place(request.association, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("%(place)s is a place of distribution now.") % {"place": place.name})
            return redirect("amap:settings", request.standing.slug)
    return render(request, "amap/site/place.html", {"form": form})


@role_required(Role.COMMITTEE)
def place_edit(request, pk):
    """Where, when, and how to get in."""
    place = get_object_or_404(PickupPlace, association=request.standing.association_id, pk=pk)
    name = place.name
    form = PlaceForm(request.POST or None, instance=place)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.edit_place(place, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("Saved."))
            return redirect("amap:settings", request.standing.slug)
    return render(request, "amap/site/place.html", {"form": form, "place": place, "name": name})
