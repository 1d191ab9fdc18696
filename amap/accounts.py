"""Where django-allauth meets us: accounts come from invitations only, and are read with their standings."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend

from amap import access, clock
from amap.models import User


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Nobody registers alone: an AMAP invites (amap/actions/people.py)."""
        return False


class StandingBackend(AuthenticationBackend):
    """Signs in by e-mail; each request's account comes with what it is in every association."""

    def get_user(self, user_id):
        user = access.with_standings(User.objects.filter(pk=user_id), clock.today()).first()
        if user is None or not user.is_active:
            return None
        user.standings = access.standings_of(user)
        return user
