"""Wrong or weak settings refuse to start and say how to mend them (R25)."""

import pytest
from django.conf import settings
from django.core.checks import Tags, run_checks
from django.db import connection

GOOD = {
    "SITE_URL": "https://panier.example.org",
    "HTTPS": True,
    "ALLOWED_HOSTS": ["panier.example.org"],
    "SECRET_KEY": "b" * 60,
    "EMAIL_HOST": "smtp.example.org",
    "DEBUG": False,
}


def found(settings, **changes):
    for name, value in (GOOD | changes).items():
        setattr(settings, name, value)
    return [problem.id for problem in run_checks(tags=[Tags.security]) if problem.id.startswith("amap.")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"SECRET_KEY": settings.INSECURE_KEY}, ["amap.E001"]),
        ({"DEBUG": True}, ["amap.E002"]),
        ({"SITE_URL": "http://panier.example.org", "HTTPS": False}, ["amap.E003"]),
        ({"ALLOWED_HOSTS": ["localhost"]}, ["amap.E004"]),
        ({"EMAIL_HOST": ""}, ["amap.W001"]),
        ({"SITE_URL": "http://localhost:8000", "HTTPS": False, "SECRET_KEY": settings.INSECURE_KEY, "DEBUG": True}, []),
    ],
)
def test_a_public_address_asks_for_safe_settings(settings, changes, expected):
    assert found(settings, **changes) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has no journal mode")
def test_sqlite_that_does_not_write_ahead_is_refused():
    def problems():
        return [problem.id for problem in run_checks(tags=[Tags.database], databases=["default"])]

    assert "amap.E005" not in problems()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
    try:
        assert "amap.E005" in problems()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
