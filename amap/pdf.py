"""A template becomes a PDF. Never inside a transaction: a page of paper takes as long as a hundred queries.

WeasyPrint is imported when the first PDF is asked for; it needs a few system libraries, and everything else works
without.
"""

import threading
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from amap.errors import Refused

LIBRARIES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"

# Pango's objects are shared by the threads of a process, and they are not made for two at once.
_one_at_a_time = threading.Lock()


def render(template: str, context: dict, *, language: str | None = None) -> bytes:
    """The PDF of a template of `templates/print/`, in `language` or the reader's.

    Raises `Refused`, with what to install, where the system libraries are missing.
    """
    make, style, fonts, refuse_all = _workshop()
    with translation.override(language or translation.get_language()):
        page = render_to_string(template, {"is_pdf": True, **context})
    with _one_at_a_time:
        return make(string=page, base_url=None, url_fetcher=refuse_all).write_pdf(
            stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1"
        )


def answer(content: bytes, filename: str) -> HttpResponse:
    """A PDF shown by the browser, which saves it under `filename` (without ending)."""
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{filename}.pdf"'
    return response


@cache
def _workshop():
    """What all PDFs of a process share: WeasyPrint's HTML, our style sheet, the fonts, a fetcher of nothing."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except OSError as missing:
        raise Refused(
            _("PDF files need some system libraries. Whoever runs this site can have them with: %(command)s")
            % {"command": f"sudo apt-get install {LIBRARIES}"}
        ) from missing

    class NoFetcher(URLFetcher):
        """Paper holds words people typed: nothing they typed may make us read a file or call another machine (T6)."""

        def fetch(self, url, headers=None):
            raise ValueError("A PDF fetches nothing.")

    refuse_all = NoFetcher()
    fonts = FontConfiguration()
    css = Path(finders.find("amap/print.css")).read_text(encoding="utf-8")
    return HTML, CSS(string=css, font_config=fonts, url_fetcher=refuse_all), fonts, refuse_all
