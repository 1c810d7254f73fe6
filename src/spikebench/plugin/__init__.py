"""The pytest plugin: makes ordinary parametrized test functions into the trials of a run.

A spike's experiments are functions that take the fixture ``trial``, marked with their spike and
scenario. The plugin makes an item of each (cell, block), orders them in blocks, records what each
one measured, and writes tables and plots in the end::

    pytestmark = pytest.mark.spike("messaging")

    @pytest.mark.scenario("change-data")
    def test_change_data(trial: Trial) -> None:
        trial.measure()
"""

from spikebench.plugin.hooks import (
    pytest_addoption,
    pytest_benchmark_update_machine_info,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
    pytest_keyboard_interrupt,
    pytest_report_collectionfinish,
    pytest_report_teststatus,
    pytest_terminal_summary,
    trial,
)
from spikebench.plugin.trial import Trial

__all__ = [
    "Trial",
    "pytest_addoption",
    "pytest_benchmark_update_machine_info",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_keyboard_interrupt",
    "pytest_report_collectionfinish",
    "pytest_report_teststatus",
    "pytest_terminal_summary",
    "trial",
]
