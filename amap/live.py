"""htmx asked for a fragment, or a browser without it for a page."""

from django.shortcuts import redirect, render


def answer(request, fragment, context, *, otherwise):
    """The fragment for an htmx request; for anything else a redirect to `otherwise` (an URL)."""
    if request.htmx:
        return render(request, fragment, context)
    return redirect(otherwise)
