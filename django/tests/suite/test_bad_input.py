"""What no client of ours sends: 400 or an error of the one change, never a 500."""
import json

from django.test import TestCase, override_settings

from membership import models
from suite.helpers import events, forget_events, make_client, make_full_member

UNSTORABLE = ('a\x00b', 'a\ud800b', 'a\udfffb', 'a\x1bb', 'a\x85b', 'a\nb', 'a\x7fb')


class Deep(TestCase):
    def test_json_that_is_too_deep_is_a_bad_request(self):
        client = make_client()
        for depth in (17, 900, 5000, 100000):
            for text in ('[' * depth + ']' * depth, '{"a":' * depth + '1' + '}' * depth,
                         '{"changes": [{"changes": ' + '[' * depth + ']' * depth + '}]}'):
                for path in ('/api/sync/apply/', '/api/sync/mark-synced/'):
                    answer = client.generic('POST', path, text, content_type='application/json')
                    self.assertEqual(answer.status_code, 400, (depth, path))

    def test_json_that_is_none_is_a_bad_request(self):
        client = make_client()
        for body in (b'', b'{', b'"a', b'\xff', b'NaN', b'1' * 5000):
            answer = client.generic('POST', '/api/sync/apply/', body, content_type='application/json')
            self.assertEqual(answer.status_code, 400, body[:10])


class Unstorable(TestCase):
    """Characters that PostgreSQL, UTF-8 or Firestore cannot hold."""

    def setUp(self):
        self.client = make_client()
        self.member = make_full_member(1)
        forget_events()

    def apply(self, **change):
        text = json.dumps({'changes': [change]})
        answer = self.client.generic('POST', '/api/sync/apply/', text, content_type='application/json')
        self.assertEqual(answer.status_code, 200, ascii(text))
        [result] = answer.json()['results']
        return result

    def test_a_value_is_refused_with_its_path(self):
        address = {'street': 'Reynigata', 'number': 1, 'letter': 'A', 'postal_code': '101', 'city': 'Reykjavík',
                   'country': 'IS', 'is_default': True}
        for text in UNSTORABLE:
            values = [('profile.' + key, text) for key in ('email', 'phone', 'foreign_phone', 'facebook')]
            values += [('profile.addresses', [dict(address, **{key: text})])
                       for key in ('street', 'letter', 'postal_code', 'city', 'country')]
            for path, value in values:
                with self.subTest(path=path, text=ascii(text)):
                    result = self.apply(kennitala=self.member.ssn, changes={path: value})
                    self.assertEqual((result['status'], result['code']), ('error', 'invalid_value'))
                    self.assertIn(path, result['message'])
        self.assertEqual(events(), [])

    def test_a_new_members_name_is_refused(self):
        with override_settings(EKKLESIA_SYNC={'ALLOW_CREATE': True}):
            for text in UNSTORABLE:
                result = self.apply(kennitala='0101801118', action='create', changes={'profile.name': text})
                self.assertEqual(result['code'], 'invalid_value', ascii(text))

    def test_an_identity_is_malformed(self):
        for text in UNSTORABLE:
            for change in ({'kennitala': text}, {'kennitala': self.member.ssn, 'change_id': text}):
                result = self.apply(changes={'profile.email': 'a@example.is'}, **change)
                # White space is no part of a kennitala; what is left is nobody's.
                self.assertIn(result['code'], ('malformed', 'unknown_member'), ascii(change))

    def test_a_path_and_an_expected_value_are_answered(self):
        for text in UNSTORABLE:
            result = self.apply(kennitala=self.member.ssn, changes={text: 'a'})
            self.assertEqual(result['code'], 'unknown_path')
            result = self.apply(kennitala=self.member.ssn, changes={'profile.email': 'a@example.is'}, change_id='1',
                                expected={'profile.email': text})
            self.assertEqual(result['status'], 'conflict')

    def test_a_number_beyond_every_store_is_refused(self):
        address = {'street': 'Reynigata', 'postal_code': '101', 'country': 'IS', 'is_default': True}
        for key, value, code in (
                ('number', 2 ** 31, 'invalid_value'), ('number', 10 ** 30, 'invalid_value'),
                ('postal_code', '9' * 40, 'unknown_address'), ('postal_code', '\u00b2', 'unknown_address'),
                ('country', '\u00b2', 'unknown_address'), ('country', '9' * 40, 'unknown_address')):
            with self.subTest(key=key, value=value):
                result = self.apply(kennitala=self.member.ssn, changes={
                    'profile.addresses': [dict(address, **{key: value})]})
                self.assertEqual(result.get('code'), code, result)
        self.assertEqual(models.LocalAddress.objects.filter(current=True).count(), 1)
