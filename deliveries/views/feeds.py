"""A person's private calendar, for their telephone."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from amap import access, clock, tokens
from amap.actions import feeds
from amap.models import User
from deliveries import calendar


@require_safe
@login_not_required
def feed(request, token):
    """The calendar behind a key: the address itself is the secret, so nothing may pass it on or keep it."""
    known = User.objects.filter(feed_key_sha256=tokens.digest(token), is_active=True)
    user = access.with_standings(known, clock.today()).first()
    if user is None:
        raise Http404
    user.standings = access.standings_of(user)
    answer = HttpResponse(calendar.feed(user, clock.now()), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="amap.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def my_calendar(request):
    """What the calendar holds and how to follow it; a fresh address is shown once, right after it was made."""
    key = request.session.pop("feed_key", "")
    address = settings.SITE_URL + reverse("site:feed", args=[key]) if key else ""
    return render(
        request,
        "deliveries/calendar/my_calendar.html",
        {
            "address": address,
            "webcal": address.replace(settings.SITE_URL.partition("://")[0], "webcal", 1),
            "is_followed": bool(request.user.feed_key_sha256),
        },
    )


@require_POST
def renew_calendar(request):
    request.session["feed_key"] = feeds.renew(request.user, now=clock.now())
    messages.success(request, _("Here is your calendar's address. An older one no longer works."))
    return redirect("site:calendar")


@require_POST
def withdraw_calendar(request):
    feeds.withdraw(request.user, now=clock.now())
    messages.success(request, _("Your calendar's address no longer works."))
    return redirect("site:calendar")
