"""Above associations: the entrance and the language."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST


def entrance(request):
    """Straight into the only association or farm; a choice where there are several."""
    standings = list(request.user.standings.values())
    if len(standings) == 1:
        return redirect("amap:home", standings[0].slug)
    return render(request, "amap/site/entrance.html", {"standings": standings})


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
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, max_age=365 * 24 * 3600, secure=settings.HTTPS, samesite="Lax"
        )
        if request.user.is_authenticated and request.user.language != chosen:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
    return response
