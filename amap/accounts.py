"""Where django-allauth meets us: accounts come from invitations only, and are read with their standings."""

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.signals import email_changed
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import respond_429
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from amap import access, clock, letters
from amap.actions import people
from amap.models import Association, User
from amap.names import alphabetical


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Nobody registers alone: an AMAP invites (amap/actions/invitations.py)."""
        return False

    def send_mail(self, template_prefix, email, context):
        """By the outbox: nobody waits for the mail server, nor learns by the time it takes who has an account (R16)."""
        written = self.render_mail(template_prefix, email, {"email": email} | context)
        letters.post_at_once(
            "account",
            to=(email, get_language()),
            context={"subject": written.subject, "text": written.body},
            now=clock.now(),
        )

    def pre_authenticate(self, request, **credentials):
        """After ten wrong passwords on an address, 429 for a quarter of an hour (R16); a code still signs in."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as too_many:
            raise ImmediateHttpResponse(respond_429(request)) from too_many


def forget_sessions(now):
    """Delete the sessions that have ended, and what was typed in them. Daily; by the real day, as they end."""
    SessionStore.clear_expired()


def visitor_address(request):
    """The visitor's address, behind as many proxies as AMAP_PROXIES says; what a visitor writes beside is ignored."""
    return get_adapter(request).get_client_ip(request)


class NotAnAssociationsName:
    """The name of an AMAP is the first password somebody tries (reliability.md §5.3)."""

    def validate(self, password, user=None):
        tried = _letters(password).strip("0123456789")
        if tried in map(_letters, Association.objects.values_list("name", flat=True)):
            raise ValidationError(_("This password is too common."), code="password_too_common")

    def get_help_text(self):
        return _("Your password can’t be the name of your AMAP.")


def _letters(text):
    return "".join(filter(str.isalnum, alphabetical(text)))


class StandingBackend(AuthenticationBackend):
    """Signs in by e-mail; each request's account comes with what it is in every association."""

    def get_user(self, user_id):
        user = access.with_standings(User.objects.filter(pk=user_id), clock.today()).first()
        if user is None or not user.is_active:
            return None
        user.standings = access.standings_of(user)
        return user


@receiver(email_changed)
def address_changed(request, user, **kwargs):
    """allauth has put a confirmed address in the place of the old one."""
    people.change_address(user, now=clock.now())
