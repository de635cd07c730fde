import json
import os

from django.test.runner import DiscoverRunner


class CountingRunner(DiscoverRunner):
    """Writes the totals to the file named by REGISTRY_TEST_TOTALS, for the script that runs the suite twice."""

    def run_suite(self, suite, **kwargs):
        result = super().run_suite(suite, **kwargs)
        failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
        totals = {
            'failed': failed,
            'skipped': len(result.skipped),
            'passed': result.testsRun - failed - len(result.skipped),
        }
        path = os.environ.get('REGISTRY_TEST_TOTALS')
        if path:
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(totals, file)
        return result
