"""Everything that has states changes them along drawn arrows only, each change written down once (BR-75)."""

import re

import pytest
from django.apps import apps
from django.conf import settings

from amap import states
from amap.models import AuditEntry
from amap.views.history import DEEDS
from tests.cast import NOW
from tests.test_access import world

__all__ = ["world"]  # the fixture

MODELS = [model for model in apps.get_models() if hasattr(model, "MOVES")]
# Further states that the worker alone sets, outside of MOVES (amap/letters.py, amap/jobs.py).
WORKERS = {"amap.Letter": {"sending", "sent", "unknown", "failed"}, "amap.Job": {"running", "done", "parked"}}


def states_of(model):
    return set(model.Status.values)


def by_name(model):
    return model._meta.label


def test_what_has_states_has_arrows():
    assert [model for model in apps.get_models() if hasattr(model, "Status")] == MODELS


@pytest.mark.parametrize("model", MODELS, ids=by_name)
def test_arrows_join_states_and_every_state_can_be_reached(model):
    drawn = set(model.MOVES).union(*model.MOVES.values())
    assert drawn <= states_of(model)
    reached, coming = set(), {model._meta.get_field("status").default, *WORKERS.get(model._meta.label, ())}
    while coming:
        reached |= coming
        coming = {to for state in reached for to in model.MOVES.get(state, ())} - reached
    assert reached == states_of(model)


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=by_name)
def test_drawn_arrows_are_followed_and_written_down_and_others_refused(world, model):
    row = model.objects.filter(association=world.amap.association).first()
    for before in sorted(states_of(model)):
        for to in sorted(states_of(model)):
            model.objects.filter(pk=row.pk).update(status=before)
            row.refresh_from_db()
            written = AuditEntry.objects.count()
            if to in model.MOVES.get(before, ()):
                states.move(row, to=to, by=world.amap.committee, now=NOW, reason="Because")
                entry = AuditEntry.objects.latest("pk")
                assert (AuditEntry.objects.count(), row.status) == (written + 1, to)
                assert (entry.about_id, entry.before, entry.after) == (row.pk, before, to)
                assert (entry.by, entry.reason) == (world.amap.committee, "Because")
            else:
                with pytest.raises(ValueError, match=f"no arrow from {before} to {to}"):
                    states.move(row, to=to, by=world.amap.committee, now=NOW)
                assert AuditEntry.objects.count() == written
            row.refresh_from_db()
            assert row.status == (to if to in model.MOVES.get(before, ()) else before)


def test_the_history_says_every_deed_in_words():
    """But those that are said by the state reached, or by the day before and after."""
    code = [path for app in ("amap", "contracts", "deliveries") for path in (settings.BASE_DIR / app).rglob("*.py")]
    verbs = {
        verb
        for path in code
        for verb in re.findall(r'(?:record|entry)\(\s*"(\w+\.\w+)"', path.read_text(encoding="utf-8"))
    }
    assert verbs - set(DEEDS) == {
        "delivery.moved",
        "distribution.moved",
        "membership.pending",
        "waitinglistentry.waiting",
    }
