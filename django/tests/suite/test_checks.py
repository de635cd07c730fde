from io import StringIO

from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import SimpleTestCase, override_settings

from suite.helpers import SECRET

URL = 'https://example.is/syncFromDjango'
LINKS_UNSEEN = 'ekklesia_sync.W003'
GOOD = {'WEBHOOK_URL': URL, 'WEBHOOK_SECRETS': [SECRET], 'DELIVERY': 'command'}


class Checks(SimpleTestCase):
    def found(self, **settings):
        with override_settings(EKKLESIA_SYNC=settings):
            messages = [each for each in run_checks() if each.id.startswith('ekklesia_sync.')]
        for message in messages:
            self.assertTrue(message.hint)
            self.assertNotIn(SECRET[6:], message.msg + message.hint)
        # The test project's titles are in such a table, so that it is said of every mapping that has them.
        return [message.id[-4:] for message in messages if message.id != LINKS_UNSEEN]

    def test_good_settings_have_no_finding(self):
        self.assertEqual(self.found(**GOOD), [])
        self.assertEqual(self.found(**dict(GOOD, WEBHOOK_SECRETS=lambda: [SECRET])), [])
        self.assertEqual(self.found(**dict(GOOD, MEMBER_FILTER={'groupable': True, 'date_joined__isnull': False})), [])

    def test_every_mistake_has_its_id_and_a_remedy(self):
        table = [
            ({'WEBHOOK_URLL': URL}, 'E001'),
            ({'MEMBER_MODEL': 'membership.Nobody'}, 'E002'),
            ({'MEMBER_MODEL': 'nonsense'}, 'E002'),
            ({'FIELDS': {'name': 'full_name'}}, 'E003'),
            ({'CONTACT_INFO': {'relation': 'contact'}}, 'E003'),
            ({'CONTACT_INFO': {'relation': 'name'}}, 'E003'),
            ({'LOCAL_ADDRESS': {'fields': {'street': 'address__street__label'}}}, 'E003'),
            ({'LOCAL_ADDRESS': {'fields': {'street': 'address__number__x'}}}, 'E003'),
            ({'LOCAL_ADDRESS': {'filter': {'nothing': True}}}, 'E003'),
            ({'MEMBER_FILTER': {'nothing': True}}, 'E003'),
            ({'MEMBER_FILTER': {'gender': 'x'}}, 'E003'),
            ({'MEMBER_FILTER': {'unions__name': 'A'}}, 'W004'),
            ({'WEBHOOK_URL': 'ftp://example.is/'}, 'E004'),
            ({'WEBHOOK_URL': 'https:///x'}, 'E004'),
            ({'WEBHOOK_URL': 'http://example.is/'}, 'E005'),
            ({'WEBHOOK_SECRETS': []}, 'E006'),
            ({'WEBHOOK_SECRETS': ['']}, 'E006'),
            ({'WEBHOOK_SECRETS': ['whsec_c2hvcnQ=']}, 'E006'),
            ({'WEBHOOK_SECRETS_FILE': '/nowhere/secrets'}, 'E006'),
            ({'PAGE_SIZE': 0}, 'E007'),
            ({'READ_TIMEOUT_SECONDS': '10'}, 'E007'),
            ({'BACKOFF_SECONDS': []}, 'E007'),
            ({'BACKOFF_SECONDS': [5, -1]}, 'E007'),
            ({'DELIVERY': 'celery'}, 'E008'),
            ({'READ_TIMEOUT_SECONDS': 60}, 'E010'),
            ({'WEBHOOK_URL': ''}, 'W001'),
        ]
        for change, expected in table:
            with self.subTest(change=change):
                self.assertEqual(self.found(**dict(GOOD, **change)), [expected])

    def test_http_is_allowed_to_the_own_machine_and_where_it_is_said(self):
        self.assertEqual(self.found(**dict(GOOD, WEBHOOK_URL='http://127.0.0.1:5001/x')), [])
        self.assertEqual(self.found(**dict(GOOD, WEBHOOK_URL='http://t/', ALLOW_INSECURE_WEBHOOK=True)), [])

    def test_sections_may_be_switched_off(self):
        self.assertEqual(self.found(**dict(GOOD, UNIONS=None, TITLES=None, FIELDS={'groupable': None})), [])

    def test_a_table_that_django_makes_is_named_because_a_queryset_writes_there_unseen(self):
        def warned(**settings):
            with override_settings(EKKLESIA_SYNC=dict(GOOD, **settings)):
                return [each for each in run_checks() if each.id == LINKS_UNSEEN]
        [warning] = warned()
        self.assertIn('TITLES', warning.msg)
        self.assertIn('membership_title_comrades', warning.msg)
        self.assertIn("announce_updated(queryset, 'titles')", warning.hint)
        # The unions stand in a link table of the registry's own, whose rows send signals.
        for quiet in ({'TITLES': None}, {'TITLES': {'relation': 'nothing'}}):
            self.assertEqual(warned(**quiet), [])

    @override_settings(EKKLESIA_SYNC=GOOD)
    def test_what_is_known_may_be_silenced(self):
        def check():
            out = StringIO()
            call_command('check', fail_level='WARNING', stdout=out, stderr=out)
        self.assertRaisesMessage(SystemCheckError, LINKS_UNSEEN, check)
        with override_settings(SILENCED_SYSTEM_CHECKS=[LINKS_UNSEEN]):
            check()
