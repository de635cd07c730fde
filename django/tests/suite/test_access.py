import logging
from io import StringIO
from unittest import mock, skipIf

import django
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError
from django.test import TestCase, override_settings
from rest_framework.authtoken.models import Token
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.test import APIClient

from ekklesia_sync.api.base import SyncView
from membership.kennitalas import make_kennitala
from suite.helpers import make_client, make_full_member

OTHER = make_kennitala(5)

READS = ['/api/members/kennitalas/', '/api/members/', '/api/sync/member/0101002008/', '/api/sync/changes/',
         '/api/sync/status/']
WRITES = ['/api/sync/apply/', '/api/sync/mark-synced/']


class Access(TestCase):
    def test_nobody_comes_in_without_the_token_and_the_permission(self):
        wrong = APIClient()
        wrong.credentials(HTTP_AUTHORIZATION='Token ' + '0' * 40)
        for client, status in ((APIClient(), 401), (wrong, 401), (make_client(permitted=False), 403)):
            for url in READS:
                self.assertEqual(client.get(url).status_code, status, url)
            for url in WRITES:
                self.assertEqual(client.post(url, {}, format='json').status_code, status, url)

    def test_a_superusers_token_is_refused(self):
        admin = get_user_model().objects.create_superuser('admin', 'a@example.is', 'x')
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION='Token ' + Token.objects.create(user=admin).key)
        answer = client.get('/api/members/')
        self.assertEqual(answer.status_code, 403)
        self.assertIn('create_sync_token', answer.json()['detail'])

    def test_a_session_of_the_admin_is_no_way_in(self):
        get_user_model().objects.create_superuser('admin', 'a@example.is', 'x')
        self.client.login(username='admin', password='x')
        self.assertEqual(self.client.get('/api/members/').status_code, 401)

    def test_bearer_is_the_same_token(self):
        call_command('create_sync_token', stdout=StringIO())
        client = APIClient()
        for scheme in ('Token', 'Bearer'):
            client.credentials(HTTP_AUTHORIZATION='{} {}'.format(scheme, Token.objects.get().key))
            self.assertEqual(client.get('/api/sync/status/').status_code, 200, scheme)

    def test_wrong_methods_are_refused_and_answers_are_not_cached(self):
        client = make_client()
        self.assertEqual(client.post('/api/members/', {}, format='json').status_code, 405)
        self.assertEqual(client.get('/api/sync/apply/').status_code, 405)
        self.assertIn('no-cache', client.get('/api/sync/status/')['Cache-Control'])

    def test_a_body_that_is_not_json_is_refused(self):
        client = make_client()
        for url in WRITES:
            self.assertEqual(client.post(url, '{', content_type='application/json').status_code, 400)
            self.assertEqual(client.post(url, '[]', content_type='application/json').status_code, 400)
            self.assertEqual(client.post(url, 'a=1', content_type='text/plain').status_code, 415)


class Quiet(TestCase):
    """What Django itself would say of a request: its path in the log, and everything that the code had at hand on an error page."""

    def setUp(self):
        self.member = make_full_member(1)
        self.client = make_client()
        self.url = '/api/sync/member/{}/'.format(self.member.ssn)

    def assert_quiet(self, client, url, status):
        said = StringIO()
        handler = logging.StreamHandler(said)
        root = logging.getLogger()
        root.addHandler(handler)
        self.addCleanup(root.removeHandler, handler)
        answer = client.get(url)
        root.removeHandler(handler)
        self.assertEqual(answer.status_code, status)
        for private in (self.member.ssn, self.member.name, 'example.is', OTHER):
            self.assertNotIn(private, said.getvalue() + answer.content.decode())
        return answer, said.getvalue()

    @skipIf(django.VERSION < (2, 1), 'Django logs what it likes')
    def test_no_refusal_logs_the_path(self):
        self.assert_quiet(self.client, '/api/sync/member/{}/'.format(OTHER), 404)
        self.assert_quiet(APIClient(), self.url, 401)
        self.assert_quiet(make_client(permitted=False), self.url, 403)

    def test_a_fault_shows_its_place_and_nothing_of_the_member(self):
        def fail(*args, **kwargs):
            seen = dict(self_ssn=self.member.ssn, email='gamalt@example.is')
            raise IntegrityError('Key (ssn)=({self_ssn}) already exists'.format(**seen))
        for debug in (False, True):
            with self.subTest(debug=debug), override_settings(DEBUG=debug), \
                    mock.patch('ekklesia_sync.sections.ScalarSection.load', fail), \
                    mock.patch.object(logging.getLogger('ekklesia_sync'), 'handlers', []):
                answer, said = self.assert_quiet(self.client, self.url, 500)
                self.assertEqual(list(answer.json()), ['error'])
                self.assertRegex(said, r'MemberView failed: IntegrityError at test_access.py:\d+')

    @override_settings(MIDDLEWARE=[])
    def test_a_host_that_is_not_allowed_is_a_bad_request(self):
        make_full_member(2)
        with self.assertLogs('django.security.DisallowedHost'):
            answer = self.client.get('/api/members/?page_size=1', HTTP_HOST='elsewhere.example')
        self.assertEqual(answer.status_code, 400)

    def test_the_projects_own_defaults_of_the_framework_are_not_ours(self):
        view = SyncView()
        self.assertIsNone(view.versioning_class)
        self.assertIs(view.content_negotiation_class, DefaultContentNegotiation)
        with override_settings(REST_FRAMEWORK={'EXCEPTION_HANDLER': 'nowhere.handler'}):
            self.assertEqual(self.client.get('/api/members/?page=0').status_code, 400)
            self.assertEqual(APIClient().get('/api/members/').status_code, 401)
