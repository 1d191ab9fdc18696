"""Long lists, thirty lines at a time."""

from collections import Counter

from django.core.paginator import Paginator


def page_of(request, rows, size=30):
    """The page of `rows` asked for by `?page=`; nonsense gives the first or the last page, never an error."""
    asked = request.GET.get("page", "")
    return Paginator(rows, size).get_page(asked if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1)


def words_of(request):
    """What `?q=` looks for; empty when nothing is asked."""
    return request.GET.get("q", "").replace("\x00", "").strip()[:100]


def usual(rows, words):
    """What `words` says of most of the rows, to be said once above them; nothing of no rows."""
    said = Counter(words(row) for row in rows).most_common(1)
    return said[0][0] if said else ""
