"""Every sentence of the pages and letters is there in French, and the compiled catalogue is the written one."""

import gettext
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

CATALOGUE = "amap/locale/fr/LC_MESSAGES/django"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The French catalogue as it would be after a fresh look through the sources; the sources are a copy."""
    if not shutil.which("xgettext"):
        reason = "No gettext here. To check the translations: sudo apt-get install gettext"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    copy = tmp_path_factory.mktemp("sources")
    for folder in ("amap", "contracts", "deliveries", "templates"):
        shutil.copytree(
            settings.BASE_DIR / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    collect = [sys.executable, "-m", "django", "makemessages", "--locale=fr", "--no-obsolete", "--no-location"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "amap.settings", "PYTHONPATH": str(copy)}
    subprocess.run(collect, cwd=copy, env=environment, check=True, capture_output=True)
    return copy / f"{CATALOGUE}.po"


def selected(catalogue, which):
    """The entries of a catalogue that msgattrib selects, without its header."""
    done = subprocess.run(
        ["msgattrib", "--no-obsolete", "--no-wrap", which, catalogue], check=True, capture_output=True, text=True
    )
    return [entry for entry in done.stdout.split("\n\n") if entry.strip() and 'msgid ""\nmsgstr ""' not in entry]


def test_every_sentence_is_translated(collected):
    assert selected(collected, "--untranslated") == []


def test_no_sentence_goes_by_a_name_that_is_not_collected():
    """xgettext knows `_` and the functions' own names; a sentence under another name would stay English."""
    aliases = {
        alias
        for folder in ("amap", "contracts", "deliveries")
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        for alias in re.findall(r"import \w*gettext\w* as (\w+)", path.read_text())
    }
    assert aliases == {"_"}


def test_no_translation_is_a_guess(collected):
    assert selected(collected, "--only-fuzzy") == []


def test_placeholders_are_kept(collected):
    done = subprocess.run(
        ["msgfmt", "--check", "-o", os.devnull, collected], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_compiled_catalogue_is_the_written_one(collected, tmp_path):
    fresh = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "-o", fresh, settings.BASE_DIR / f"{CATALOGUE}.po"], check=True)
    with fresh.open("rb") as written, (settings.BASE_DIR / f"{CATALOGUE}.mo").open("rb") as compiled:
        assert gettext.GNUTranslations(written)._catalog == gettext.GNUTranslations(compiled)._catalog
