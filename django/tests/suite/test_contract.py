import json
import os
import subprocess
import sys

from django.test import SimpleTestCase, TestCase

from ekklesia_sync.apply.normalise import normal_phone
from ekklesia_sync.apply.portal_addresses import portal_addresses
from ekklesia_sync.delivery.event import make_event
from ekklesia_sync.delivery.signing import sign
from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.wire import find_member
from membership import models
from suite.contract_files import CONTRACT, faults, names, read
from suite.helpers import make_client, make_house


def make_member_of(wire):
    """Writes the rows that a wire member was read from."""
    own = {key: wire[key] for key in ('ssn', 'name', 'birthday', 'gender', 'housing_situation', 'reachable',
                                      'groupable', 'date_joined')}
    member = models.Comrade.objects.create(**own)
    models.ContactInfo.objects.create(comrade=member, **wire['contact_info'])
    if wire['local_address']:
        house = wire['local_address']
        models.LocalAddress.objects.create(comrade=member, address=make_house(
            house['street'], house['postal_code'], house['city'], house['number'], house['letter']))
    for each in wire['foreign_addresses']:
        country, _ = models.Country.objects.get_or_create(pk=each['country'], defaults={'name': 'L', 'code': 'XX'})
        models.ForeignAddress.objects.create(
            comrade=member, country=country, current=each['current'], municipality=each['municipality'],
            postal_code=each['postal_code'], address=each['address'])
    for each in wire['unions']:
        models.UnionMembership.objects.create(
            comrade=member, union=models.Union.objects.get_or_create(name=each['name'])[0])
    for each in wire['titles']:
        member.titles.add(models.Title.objects.get_or_create(name=each['name'])[0])
    return member


class Signatures(SimpleTestCase):
    def test_every_valid_vector_is_what_we_sign(self):
        for vector in read('vectors/signatures.json')['valid']:
            with self.subTest(vector['name']):
                headers = vector['headers']
                ours = [sign([secret], headers['webhook-id'], headers['webhook-timestamp'], vector['body'].encode())
                        for secret in vector['secrets']]
                self.assertTrue(set(ours) & set(headers['webhook-signature'].split(' ')))

    def test_no_invalid_vector_is_fresh_and_what_we_sign(self):
        content = read('vectors/signatures.json')
        for vector in content['invalid']:
            with self.subTest(vector['name']):
                headers = vector['headers']
                stamp = headers['webhook-timestamp']
                fresh = stamp.isdigit() and abs(vector['now'] - int(stamp)) <= content['tolerance_seconds']
                ours = [sign([secret], headers['webhook-id'], stamp, vector['body'].encode())
                        for secret in vector['secrets']]
                self.assertFalse(fresh and set(ours) & set(headers['webhook-signature'].split(' ')))

    def test_the_vectors_are_what_their_script_makes(self):
        script = os.path.join(CONTRACT, 'make-signatures.py')
        self.assertEqual(subprocess.call([sys.executable, script, '--check']), 0)

    def test_a_secret_that_cannot_be_used_is_named_without_being_shown(self):
        for secret in ('', 'abc', 'whsec_', 'whsec_%%%', 'whsec_YWJj', None):
            with self.assertRaises(ValueError) as raised:
                sign([secret], 'msg_1', 1, b'')
            self.assertNotIn('YWJj', str(raised.exception))


class Members(TestCase):
    def test_every_vector_fits_the_schema(self):
        vectors = read('vectors/members.json')
        for vector in vectors['members']:
            for wire in vector['wires']:
                # "" for a whole section or a number is tolerated by the reader and written by nobody.
                if 'an empty text clears' != vector['name']:
                    self.assertEqual(faults(wire, 'member.json'), [], vector['name'])
        for vector in vectors['invalid']:
            if vector['path'] != 'kennitala' and 'no date' not in vector['name']:
                self.assertNotEqual(faults(vector['wire'], 'member.json'), [], vector['name'])

    def test_the_registry_exports_the_vectors_exactly(self):
        exported = [vector for vector in read('vectors/members.json')['members'] if vector.get('exported')]
        self.assertEqual(len(exported), 2)
        for vector in exported:
            with self.subTest(vector['name']):
                models.Comrade.objects.all().delete()
                wire = vector['wires'][0]
                make_member_of(wire)
                shown = find_member(wire['ssn'], 'default')
                self.assertEqual(_without_ids(shown), _without_ids(wire))

    def test_addresses_and_numbers_are_the_portals(self):
        for vector in read('vectors/members.json')['members']:
            wire, profile = vector['wires'][0], vector['portal']['profile']
            if 'before' in vector or wire.get('local_address') == '':
                continue
            if 'street_address' not in wire:
                self.assertEqual(portal_addresses(wire), profile['addresses'], vector['name'])
            for each in vector['wires']:
                phone = (each.get('contact_info') or {}).get('phone')
                if phone:
                    self.assertEqual(normal_phone(phone), profile['phone'], vector['name'])


class Changes(TestCase):
    def test_every_vector_gets_its_answer_and_writes_what_it_says(self):
        content = read('vectors/changes.json')
        client = make_client()
        for vector in content['vectors']:
            with self.subTest(vector['name']):
                models.Comrade.objects.all().delete()
                make_member_of(content['member'])
                for house in content['houses']:
                    make_house(house['street'], house['postal_code'], house['city'], house['number'], house['letter'])
                before = find_member(content['member']['ssn'], 'default')
                body = {'changes': [vector['change']]}
                answer = client.post('/api/sync/apply/', body, format='json').json()
                self.assertEqual(faults(answer, 'apply-answer.json'), [])
                result, = answer['results']
                self.assertEqual({key: result.get(key) for key in vector['answer']}, vector['answer'])
                after = find_member(content['member']['ssn'], 'default')
                self.assertEqual(_differences(before, after), vector['writes'])
                if vector['answer'].get('code') not in ('malformed', 'action_not_allowed'):
                    self.assertEqual(faults(body, 'apply-request.json'), [])


class Schemas(TestCase):
    def test_every_answer_fits_its_schema(self):
        client = make_client()
        content = read('vectors/changes.json')
        member = make_member_of(content['member'])
        change_id = MemberSyncQueue.objects.latest('id').pk
        for url, schema in (
                ('/api/members/', 'members-page.json'), ('/api/sync/member/{}/'.format(member.ssn), 'member.json'),
                ('/api/sync/changes/', 'changes.json'), ('/api/sync/status/', 'status.json')):
            self.assertEqual(faults(client.get(url).json(), schema), [], url)
        export = b''.join(client.get('/api/members/kennitalas/').streaming_content)

        self.assertEqual(faults(json.loads(export.decode()), 'kennitalas.json'), [])
        marked = client.post('/api/sync/mark-synced/', {'sync_ids': [change_id]}, format='json').json()
        self.assertEqual(faults(marked, 'mark-synced-answer.json'), [])

    def test_every_event_fits_its_schema(self):

        make_member_of(read('vectors/changes.json')['member']).delete()
        make_member_of(read('vectors/changes.json')['member'])
        for row in MemberSyncQueue.objects.all():
            body = json.loads(make_event(row, 'default').body.decode('utf-8'))
            self.assertEqual(faults(body, 'webhook.json'), [], body['action'])

    def test_the_checker_finds_faults(self):
        self.assertEqual(faults({'gender': 9}, 'member.json'), ['$: anyOf', '$.gender: enum'])
        self.assertEqual(faults({'kennitala': '1', 'action': 'update'}, 'webhook.json'),
                         ['$: required', '$.kennitala: pattern'])
        self.assertEqual(len(names('schemas')), 12)


def _without_ids(member):
    shown = {key: value for key, value in member.items() if key not in ('id', 'version', 'digest')}
    shown['foreign_addresses'] = [
        {key: value for key, value in each.items() if key != 'pk'} for each in shown['foreign_addresses']]
    return shown


def _differences(before, after):
    found = {}
    for key in before:
        if key == 'contact_info':
            found.update({'contact_info.' + each: after[key][each] for each in before[key]
                          if before[key][each] != after[key][each]})
        elif key not in ('version', 'digest') and before[key] != after[key]:
            found[key] = after[key]
    return found
