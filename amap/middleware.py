"""What every request passes: headers, clean input, the reader's language, signing in, where we are, refusals."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_request

from amap import clock
from amap.errors import Refused
from amap.models import Association


class SecurityHeaders:
    """Content-Security-Policy and the like on every answer; no shared cache keeps a signed-in page; no NUL reaches a
    database.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest(b"Bad request")
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.SECURE_CSP)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ReaderLanguage:
    """The language chosen on this device, else the account's, else the browser's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        if chosen not in dict(settings.LANGUAGES):
            chosen = request.user.language if request.user.is_authenticated else get_language_from_request(request)
        translation.activate(chosen)
        request.LANGUAGE_CODE = chosen
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", chosen)
        response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary"), "Accept-Language"]))
        return response


class SignInFirst(LoginRequiredMiddleware):
    """Strangers sign in first. What somebody was sending when their session had ended is kept for an hour, until they
    have (`site:unsent`): typed work is never lost, but for files and passwords.
    """

    MOST_CHARACTERS = 50_000
    KEPT = timedelta(hours=1)

    def handle_no_permission(self, request, view_func):
        if request.htmx:
            return HttpResponse(headers={"HX-Refresh": "true"})
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        fields = [[name, value] for name, values in request.POST.lists() for value in values]
        fields = [field for field in fields if field[0] != "csrfmiddlewaretoken"]
        if request.FILES or any("password" in name for name, _value in fields):
            return redirect_to_login("/")
        if sum(len(name) + len(value) for name, value in fields) <= self.MOST_CHARACTERS:
            until = clock.now() + self.KEPT
            request.session["unsent"] = {"url": request.get_full_path(), "fields": fields, "until": until.isoformat()}
        return redirect_to_login(reverse("site:unsent"))


class Here:
    """Resolve the association named in the address, once, and refuse strangers with the same 404 as for a name that
    never existed.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.standing = None
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        slug = kwargs.pop("association", None)
        if slug is None:
            return
        standing = request.user.standings.get(slug) if request.user.is_authenticated else None
        if standing is None:
            raise Http404
        request.standing = standing
        request.association = SimpleLazyObject(lambda: Association.objects.get(pk=standing.association_id))


class Refusals:
    """A rule that said no becomes a sentence on the page the visitor came from; at home, where that is the page that
    said no.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Refused):
            return None
        messages.error(request, str(exception))
        if request.htmx:
            return HttpResponse(headers={"HX-Refresh": "true"})
        back = request.META.get("HTTP_REFERER", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        if not is_ours or (request.method == "GET" and urlsplit(back).path == request.path):
            back = reverse("amap:home", args=[request.standing.slug]) if request.standing else "/"
        return redirect(back)
