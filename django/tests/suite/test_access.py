from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import TestCase
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from suite.helpers import make_client

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
