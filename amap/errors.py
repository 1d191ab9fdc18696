"""A rule said no."""

from contextlib import contextmanager


class Refused(Exception):
    """Raised by actions when a rule forbids the deed; the text is a whole translated sentence for the visitor.

    It names the rule's figures and, where there is one, the next possible step. Views put it into the form it
    concerns; where they do not, the middleware shows it as a message on the page the visitor came from.
    """

    def __init__(self, text, *, field=None):
        """`field`: the argument of the action that is to blame, which forms have under the same name."""
        super().__init__(text)
        self.field = field

    def into(self, form):
        """Say it beside the field it is about, or above the form."""
        form.add_error(self.field if self.field in form.fields else None, str(self))


@contextmanager
def refused_into(form):
    """A refusal inside the `with` block becomes the form's error, so that nothing typed is lost."""
    try:
        yield
    except Refused as refused:
        refused.into(form)
