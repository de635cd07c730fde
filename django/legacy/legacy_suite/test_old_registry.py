"""The old registry behaves as the party's does: the end-to-end suite relies on every fact here."""
import json
import threading
import time

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client, RequestFactory, TransactionTestCase, override_settings
from rest_framework.authtoken.models import Token

from members.control import control
from members.generate import generate
from members.models import Comrade, ContactInfo, MemberSyncQueue
from suite.receiver import Receiver

KEY = 'what the old server says'


def read_elsewhere(look):
    """What a connection of its own sees: that is, what is committed."""
    found = []

    def run():
        try:
            found.append(look())
        finally:
            connection.close()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


class OldRegistry(TransactionTestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        settings = override_settings(WEBHOOK_URL=self.receiver.url, SYNC_API_KEY=KEY)
        settings.enable()
        self.addCleanup(settings.disable)
        user = get_user_model().objects.create(username='sync', is_staff=True)
        self.headers = {'HTTP_AUTHORIZATION': 'Token ' + Token.objects.create(user=user).key}
        self.client = Client()

    def get(self, path):
        return self.client.get(path, **self.headers)

    def post(self, path, body):
        return self.client.post(path, json.dumps(body), content_type='application/json', **self.headers).json()

    def control(self, action_name, **order):
        control(RequestFactory().post('/', json.dumps(order), content_type='application/json'), action_name)

    def bodies(self):
        return [each['json'] for each in self.receiver.requests]

    def test_a_new_member_is_told_of_before_the_commit(self):
        seen = []
        self.receiver.answer = lambda request: seen.append(read_elsewhere(Comrade.objects.count)) or (200, {})
        self.control('create', ssn='0101801118', name='Nýr')
        self.assertEqual(seen, [0])
        self.assertEqual(Comrade.objects.count(), 1)
        [body] = self.bodies()
        self.assertEqual(self.receiver.requests[0]['headers']['Authorization'], 'Bearer ' + KEY)
        self.assertEqual(set(body), {'kennitala', 'action', 'data'})
        self.assertEqual((body['action'], body['kennitala']), ('create', '0101801118'))
        self.assertEqual(body['data']['contact_info'], {})
        self.assertEqual(body['data']['local_address'], {})
        self.assertIsNone(body['data']['gender'])
        self.assertIsNone(body['data']['housing_situation'])
        self.assertNotIn('version', body['data'])

    def test_the_admin_sends_it_inside_its_transaction_as_well(self):
        member = Comrade.objects.create(ssn='0101801118', name='Áður')
        staff = Client()
        staff.force_login(get_user_model().objects.create(username='boss', is_staff=True, is_superuser=True))
        seen = []
        self.receiver.answer = lambda request: seen.append(
            read_elsewhere(lambda: Comrade.objects.get().name)) or (200, {})
        form = {'ssn': member.ssn, 'name': 'Eftir', 'date_joined_0': '2020-01-01', 'date_joined_1': '10:00:00'}
        for prefix in ('contact_info', 'newlocaladdress_set'):
            form.update({prefix + '-TOTAL_FORMS': 0, prefix + '-INITIAL_FORMS': 0})
        answer = staff.post('/admin/members/comrade/{}/change/'.format(member.pk), form)
        self.assertEqual(answer.status_code, 302)
        self.assertEqual((seen, Comrade.objects.get().name), (['Áður'], 'Eftir'))
        self.assertEqual(self.bodies()[-1]['data']['name'], 'Eftir')

    def test_a_delete_has_no_data_and_comes_before_the_commit(self):
        Comrade.objects.create(ssn='0101801118')
        seen = []
        self.receiver.answer = lambda request: seen.append(read_elsewhere(Comrade.objects.count)) or (200, {})
        self.control('delete', ssn='0101801118')
        self.assertEqual(seen, [1])
        self.assertEqual(self.bodies()[-1], {'kennitala': '0101801118', 'action': 'delete'})

    def test_an_edit_sends_the_contact_as_it_was(self):
        member = Comrade.objects.create(ssn='0101801118')
        ContactInfo.objects.create(comrade=member, email='gamalt@example.is')
        self.control('edit', ssn='0101801118', reachable=True, email='nytt@example.is')
        data = self.bodies()[-1]['data']
        self.assertTrue(data['reachable'])
        self.assertEqual(data['contact_info']['email'], 'gamalt@example.is')
        self.assertEqual(ContactInfo.objects.get().email, 'nytt@example.is')

    def test_a_row_beside_the_member_sends_nothing(self):
        member = Comrade.objects.create(ssn='0101801118')
        before = len(self.receiver.requests)
        ContactInfo.objects.create(comrade=member, email='a@example.is')
        Comrade.objects.filter(pk=member.pk).update(name='Hljótt')
        self.assertEqual(len(self.receiver.requests), before)

    def test_a_refused_or_lost_webhook_is_never_repeated_and_saves_all_the_same(self):
        for answer in ((503, {}), (400, {})):
            self.receiver.answer = lambda request, answer=answer: answer
            before = len(self.receiver.requests)
            with self.assertLogs('members', 'ERROR'):
                Comrade.objects.create(ssn='010180{}118'.format(answer[0] // 100))
            self.assertEqual(len(self.receiver.requests), before + 1)
        with override_settings(WEBHOOK_URL='http://127.0.0.1:9/'), self.assertLogs('members', 'ERROR'):
            Comrade.objects.create(ssn='0101801118')
        self.assertEqual(Comrade.objects.count(), 3)

    def test_an_answer_that_does_not_come_holds_the_save_for_the_whole_limit(self):
        self.receiver.answer = self.receiver.hang
        start = time.monotonic()
        with override_settings(WEBHOOK_TIMEOUT_SECONDS=0.3), self.assertLogs('members', 'ERROR'):
            Comrade.objects.create(ssn='0101801118')
        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_a_change_that_is_rolled_back_was_told_of(self):
        Comrade.objects.create(ssn='0101801118')
        self.control('rollback', ssn='0101801118', email='aldrei@example.is')
        self.assertEqual([body['action'] for body in self.bodies()], ['create', 'update'])
        self.assertFalse(ContactInfo.objects.exists())

    def test_placeholders_are_not_told_of(self):
        Comrade.objects.create(ssn='9999000001')
        self.assertEqual(self.bodies(), [])

    def test_the_single_member_call_is_flat_and_older_than_the_list(self):
        generate(300, 1)
        listed = []
        path = '/api/members/?page_size=200'
        while path:
            page = self.get(path).json()
            listed += page['results']
            path = page['next']
        self.assertEqual(len(listed), 300)
        other_email = other_address = 0
        for member in listed:
            flat = self.get('/api/sync/member/{}/'.format(member['ssn'])).json()
            self.assertLessEqual(set(flat), {
                'ssn', 'name', 'birthday', 'gender', 'housing_situation', 'reachable', 'groupable', 'date_joined',
                'email', 'phone', 'street_address', 'postal_code', 'city'})
            self.assertEqual(flat.get('phone'), member['contact_info'].get('phone'))
            other_email += flat.get('email') != member['contact_info'].get('email')
            other_address += not flat.get('street_address', '').startswith(member['local_address'].get('street', '-'))
        self.assertGreater(other_email, 200)
        self.assertGreater(other_address, 200)
        self.assertEqual(self.get('/api/sync/member/0101801119/').status_code, 404)

    def test_apply_writes_four_fields_and_contact_that_is_not_empty_and_calls_all_of_it_success(self):
        member = Comrade.objects.create(ssn='0101801118', reachable=False)
        ContactInfo.objects.create(comrade=member, email='a@example.is', phone='5550000', facebook='a')

        def apply(changes, ssn='010180-1118'):
            [result] = self.post('/api/sync/apply/', {'changes': [
                {'kennitala': ssn, 'action': 'update', 'changes': changes}]})['results']
            return result
        success = {'ssn': '0101801118', 'status': 'success', 'updated_fields': []}
        self.assertEqual(apply({'profile.email': 'b@example.is', 'profile.phone': '5551111'}), success)
        self.assertEqual(apply({'profile.email': '', 'profile.phone': ''}), success)
        self.assertEqual(apply({
            'profile.reachable': True, 'profile.groupable': True, 'profile.facebook': 'b', 'profile.foreign_phone': '+4',
            'profile.addresses': [{'street': 'Reynigata'}], 'profile.nothing': 1}), success)
        self.assertEqual(apply({'profile.name': 'Annað nafn'})['status'], 'success')
        self.assertEqual(apply({'profile.email': 'c@example.is'}, '0101801119')['status'], 'error')
        row = Comrade.objects.get()
        self.assertEqual((row.name, row.reachable, row.groupable), ('Annað nafn', False, False))
        contact = ContactInfo.objects.get()
        self.assertEqual(
            (contact.email, contact.phone, contact.facebook, contact.foreign_phone), ('b@example.is', '5551111', 'a', ''))

    def test_the_queue_has_ids_of_its_own_and_times_without_an_offset(self):
        Comrade.objects.create(ssn='0101801118')
        self.control('queue', ssn='0101801118', action='delete')
        changes = self.get('/api/sync/changes/?since=2001-01-01T00:00:00Z').json()['changes']
        self.assertEqual([each['action'] for each in changes], ['create', 'delete'])
        self.assertEqual(set(changes[0]), {'id', 'ssn', 'action', 'fields_changed', 'created_at'})
        for each in changes:
            self.assertRegex(each['created_at'], r'^\d{4}-\d\d-\d\dT[\d:.]+$')
        ids = [each['id'] for each in changes]
        self.assertEqual(self.post('/api/sync/mark-synced/', {'sync_ids': ids}), {'success': True, 'marked_synced': 2})
        self.assertEqual(self.post('/api/sync/mark-synced/', {'sync_ids': ids})['marked_synced'], 0)
        status = self.get('/api/sync/status/').json()
        self.assertEqual(status, {'pending': 0, 'synced': 2, 'failed': 0, 'oldest_pending': None})
        self.assertEqual(MemberSyncQueue.objects.filter(sync_status='pending').count(), 0)

    def test_the_list_has_everybody(self):
        with transaction.atomic():
            generate(20, 1, placeholders=2)
        answer = self.get('/api/members/kennitalas/').json()
        self.assertEqual((answer['count'], len(answer['kennitalas'])), (22, 22))
        self.assertEqual(self.client.get('/api/members/kennitalas/').status_code, 401)
