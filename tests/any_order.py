"""What is common to tests that do things in any order (R9): a database left as it was, and how much is tried."""

import os

from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

RUNS = int(os.environ.get("R9_RUNS", "8"))
SECONDS = 120 + 5 * RUNS


class AnyOrder(RuleBasedStateMachine):
    """A machine whose every run is undone in the database."""

    def __init__(self):
        super().__init__()
        self.point = transaction.atomic()
        self.point.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.point.__exit__(None, None, None)


def try_any_order(machine):
    """Runs of 25 steps, without looking for a shorter failure, which takes minutes."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=25,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
