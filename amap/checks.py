"""What must hold before the software starts: wrong or weak settings are refused, with the words to mend them."""

import ctypes
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
PANGO = {"darwin": "libpango-1.0.dylib"}.get(sys.platform, "libpango-1.0.so.0")
INSTALL_PANGO = {"darwin": "brew install pango"}.get(
    sys.platform,
    "sudo apt-get install --no-install-recommends "
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core",
)


@register(Tags.security)
def site(app_configs, **kwargs):
    """An address others can reach asks for a key of its own, https and no debugging pages."""
    host = urlsplit(settings.SITE_URL).hostname
    if host in LOCAL_HOSTS:
        return []
    problems: list[CheckMessage] = []
    if settings.SECRET_KEY == settings.INSECURE_KEY:
        problems.append(
            Error(
                "AMAP_SECRET_KEY is not set: anybody could forge a session.",
                hint='Set it, once, to what this prints: python3 -c "import secrets; print(secrets.token_urlsafe(50))"',
                id="amap.E001",
            )
        )
    if settings.DEBUG:
        problems.append(
            Error(f"AMAP_DEBUG is on at {host}.", hint="Debug pages show secrets. Unset AMAP_DEBUG.", id="amap.E002")
        )
    if not settings.HTTPS:
        problems.append(
            Error(f"AMAP_SITE_URL is {settings.SITE_URL}.", hint="Serve it over https:// and say so.", id="amap.E003")
        )
    if host not in settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        problems.append(
            Error(
                f"{host} is in AMAP_SITE_URL but not in AMAP_HOSTS.",
                hint=f"Every page would answer 400. Set AMAP_HOSTS={host}",
                id="amap.E004",
            )
        )
    if not settings.EMAIL_HOST:
        problems.append(
            Warning(
                "AMAP_SMTP_HOST is not set: letters are only written into the data folder.",
                hint="Set AMAP_SMTP_HOST, AMAP_SMTP_USER and AMAP_SMTP_PASSWORD.",
                id="amap.W001",
            )
        )
    return problems


@register(Tags.compatibility)
def pdf_libraries(app_configs, **kwargs):
    """Without Pango all pages work, but no PDF can be made."""
    try:
        ctypes.CDLL(PANGO)
    except OSError:
        return [Warning("PDF files cannot be made: Pango is missing.", hint=INSTALL_PANGO, id="amap.W002")]
    return []


@register(Tags.database)
def journal(app_configs, databases=None, **kwargs):
    """SQLite must write ahead (WAL), or readers and the worker block each other; a network share cannot do it."""
    problems = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "sqlite":
            continue
        with connection.cursor() as cursor:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        if mode not in {"wal", "memory"}:
            problems.append(
                Error(
                    f"{Path(connection.settings_dict['NAME']).name} is in journal mode {mode}, not wal.",
                    hint="Put AMAP_DATA on a local disk.",
                    id="amap.E005",
                )
            )
    return problems
