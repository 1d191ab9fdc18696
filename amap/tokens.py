"""Secrets sent by e-mail.

The database keeps only their hash, and a waiting letter only a seed that is worth nothing without the site's key.
"""

import hashlib
import secrets

from django.utils.crypto import salted_hmac
from django.utils.http import urlsafe_base64_encode


def new_seed():
    """A fresh seed, 128 bits."""
    return secrets.token_urlsafe(16)


def token_of(seed):
    """The token grown from a seed with the site's secret key: 256 bits, safe in an address."""
    return urlsafe_base64_encode(salted_hmac("amap.tokens", seed, algorithm="sha256").digest())


def digest(token):
    """What is stored and searched: the SHA-256 of a token, in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
