"""The key of a person's private calendar: random, kept only as a hash, replaced or withdrawn at once (T4)."""

import secrets

from django.db import transaction

from amap import tokens
from amap.models import AuditEntry


@transaction.atomic
def renew(user, *, now):
    """A new key (192 bits), shown once; calendars that follow the old one see nothing any more."""
    key = secrets.token_urlsafe(24)
    _set(user, tokens.digest(key), "feed.renewed", now)
    return key


@transaction.atomic
def withdraw(user, *, now):
    """No key: nobody follows the calendar."""
    _set(user, "", "feed.withdrawn", now)


def _set(user, key_sha256, verb, now):
    user.feed_key_sha256 = key_sha256
    user.save(update_fields=["feed_key_sha256"])
    AuditEntry.objects.create(at=now, by=user, verb=verb, about="amap.user", about_id=user.pk)
