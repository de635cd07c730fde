import datetime
import gzip
import json
import logging
import socket

from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from ekklesia_sync.delivery import background
from ekklesia_sync.delivery.worker import deliver_due
from ekklesia_sync.models import MemberSyncQueue
from membership import models
from suite.delivery_case import DeliveryCase
from suite.helpers import (
    OTHER_SECRET, SECRET, forget_events, is_signed_by, make_full_member, make_member, webhook_settings)
from suite.receiver import SUCCESS


class Body(DeliveryCase):
    def test_an_event_has_the_contracts_body_and_a_good_signature(self):
        receiver = self.receiver()
        member = make_full_member(1)
        deliver_due()
        request, = receiver.requests
        body = request['json']
        newest = MemberSyncQueue.objects.latest('id').pk
        self.assertEqual(sorted(body), ['action', 'data', 'kennitala', 'occurred_at', 'version'])
        self.assertEqual((body['kennitala'], body['action'], body['version']), (member.ssn, 'create', newest))
        self.assertEqual(body['data']['contact_info']['email'], 'gamalt@example.is')
        self.assertEqual(body['data']['version'], newest)
        self.assertRegex(body['occurred_at'], r'^\d{4}-\d\d-\d\dT.*Z$')
        self.assertTrue(is_signed_by(SECRET, request['headers'], request['body']))
        self.assertFalse(is_signed_by(OTHER_SECRET, request['headers'], request['body']))
        self.assertEqual(set(self.statuses()), {'synced', 'superseded'})

    def test_during_a_rotation_both_secrets_verify(self):
        receiver = self.receiver(WEBHOOK_SECRETS=[SECRET, OTHER_SECRET])
        make_member(1)
        deliver_due()
        request, = receiver.requests
        for secret in (SECRET, OTHER_SECRET):
            self.assertTrue(is_signed_by(secret, request['headers'], request['body']))

    def test_a_delete_carries_no_data(self):
        receiver = self.receiver()
        make_full_member(1).delete()
        deliver_due()
        body = receiver.requests[-1]['json']
        self.assertEqual(sorted(body), ['action', 'kennitala', 'occurred_at', 'version'])
        self.assertEqual(body['action'], 'delete')

    def test_a_member_who_is_gone_without_a_trace_is_announced_as_deleted(self):
        receiver = self.receiver()
        make_member(1)
        models.Comrade.objects.all()._raw_delete('default')
        deliver_due()
        self.assertEqual(receiver.requests[0]['json']['action'], 'delete')

    def test_a_rolled_back_transaction_sends_nothing(self):
        receiver = self.receiver(DELIVERY='thread')
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            make_full_member(1)
            raise ZeroDivisionError
        background.join(5)
        deliver_due()
        self.assertEqual(receiver.requests, [])


class Order(DeliveryCase):
    def test_waiting_changes_of_a_member_go_as_the_newest(self):
        receiver = self.receiver()
        member = make_member(1)
        for name in ('A', 'B', 'C'):
            member.name = name
            member.save()
        deliver_due()
        request, = receiver.requests
        self.assertEqual(request['json']['data']['name'], 'C')
        # A create that never went out is still a create: the roster is made anew by creates and deletes.
        self.assertEqual(request['json']['action'], 'create')
        self.assertEqual(self.statuses(), ['superseded'] * 3 + ['synced'])
        newest = MemberSyncQueue.objects.latest('id')
        self.assertEqual(newest.fields_changed['name'], 'C')
        self.assertIn('ssn', newest.fields_changed)

    def test_versions_of_a_member_arrive_in_order(self):
        receiver = self.receiver()
        member = make_member(1)
        for name in 'ABCDE':
            deliver_due()
            member.name = name
            member.save()
        deliver_due()
        versions = [request['json']['version'] for request in receiver.requests]
        self.assertEqual(len(versions), 6)
        self.assertEqual(versions, sorted(versions))

    def test_a_delete_after_an_undelivered_create_is_a_delete(self):
        receiver = self.receiver()
        make_member(1).delete()
        deliver_due()
        self.assertEqual([each['json']['action'] for each in receiver.requests], ['delete'])

    def test_a_success_settles_an_older_dead_letter(self):
        answers = iter([(400, {}), (200, {})])
        self.receiver(lambda request: next(answers))
        member = make_member(1)
        deliver_due()
        member.name = 'B'
        member.save()
        deliver_due()
        self.assertEqual(self.statuses(), ['superseded', 'synced'])


class Answers(DeliveryCase):
    def test_each_answer_has_its_outcome(self):
        table = [
            (200, 'synced'), (301, 'pending'), (302, 'pending'), (401, 'pending'), (403, 'pending'), (404, 'pending'),
            (408, 'pending'), (409, 'pending'), (425, 'pending'), (429, 'pending'), (500, 'pending'),
            (502, 'pending'), (503, 'pending'), (504, 'pending'),
            (400, 'failed'), (413, 'failed'), (415, 'failed'), (422, 'failed'),
        ]
        for status, expected in table:
            with self.subTest(status=status):
                models.Comrade.objects.all().delete()
                forget_events()
                self.receiver(lambda request, status=status: (status, {}))
                make_member(1)
                deliver_due()
                row = MemberSyncQueue.objects.get()
                self.assertEqual((row.sync_status, row.attempts), (expected, 1))
                self.assertEqual(row.last_error, '' if expected == 'synced' else 'http_{}'.format(status))

    def test_only_the_receivers_own_word_delivers_or_refuses(self):
        page, word = b'<!DOCTYPE html><title>Innskr\xc3\xa1ning</title>', json.dumps(SUCCESS).encode()
        table = [
            (200, {}, page, 'unknown_answer'), (200, {}, b'', 'unknown_answer'), (204, {}, b'', 'unknown_answer'),
            (200, {}, b'[]', 'unknown_answer'), (200, {}, b'[' * 8000, 'unknown_answer'), (200, {}, b'\xff', 'unknown_answer'),
            (200, {}, b'{"success": "true"}', 'unknown_answer'), (200, {}, b'{"success": false}', 'unknown_answer'),
            (200, {'content-length': str(len(word))}, word[:-9], 'unknown_answer'),
            (200, {'content-encoding': 'gzip'}, word, 'unknown_answer'),
            (200, {'content-encoding': 'gzip'}, gzip.compress(word), ''), (202, {}, word, ''),
            (400, {}, page, 'http_400'), (413, {}, page, 'http_413'), (422, {}, b'{}', 'http_422'),
        ]
        for status, headers, body, error in table:
            with self.subTest(status=status, body=body[:20], headers=headers):
                models.Comrade.objects.all().delete()
                forget_events()
                self.receiver(lambda request, answer=(status, headers, body): answer)
                make_member(1)
                deliver_due()
                row = MemberSyncQueue.objects.get()
                self.assertEqual((row.sync_status, row.last_error), ('pending' if error else 'synced', error))

    def test_a_redirect_is_not_followed(self):
        target = self.receiver()
        receiver = self.receiver(lambda request: (307, {'location': target.url}))
        make_member(1)
        deliver_due()
        self.assertEqual((len(receiver.requests), len(target.requests)), (1, 0))
        self.assertEqual(self.statuses(), ['pending'])

    def test_the_backoff_table_is_kept_and_ends_in_a_dead_letter(self):
        receiver = self.receiver(lambda request: (503, {}))
        make_member(1)
        for delay in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400):
            self.make_due()
            before = timezone.now()
            deliver_due()
            waits = (MemberSyncQueue.objects.get().next_attempt_at - before).total_seconds()
            self.assertGreaterEqual(waits, delay)
            self.assertLess(waits, delay * 1.1 + 10)
        self.make_due()
        deliver_due()
        self.assertEqual(self.statuses(), ['failed'])
        self.assertEqual(len(receiver.requests), 10)
        self.assertEqual(len({each['headers']['webhook-id'] for each in receiver.requests}), 1)

    def test_retry_after_is_honoured_in_seconds_and_as_a_date(self):
        later = (datetime.datetime.utcnow() + datetime.timedelta(seconds=900)).strftime('%a, %d %b %Y %H:%M:%S GMT')
        for header, least, most in (('900', 899, 1100), (later, 890, 1100), ('1', 4, 20), ('nonsense', 4, 20)):
            with self.subTest(header=header):
                models.Comrade.objects.all().delete()
                forget_events()
                self.receiver(lambda request, header=header: (503, {'retry-after': header}))
                make_member(1)
                deliver_due()
                waits = (MemberSyncQueue.objects.get().next_attempt_at - timezone.now()).total_seconds()
                self.assertTrue(least <= waits <= most, waits)

    def test_a_receiver_that_is_away_costs_three_attempts_and_not_everybodys(self):
        self.receiver(lambda request: (503, {}))
        for index in range(1, 11):
            make_member(index)
        totals = deliver_due()
        self.assertTrue(totals.paused)
        self.assertEqual(MemberSyncQueue.objects.filter(attempts=0).count(), 7)

    def test_a_refused_event_does_not_hold_up_the_others(self):
        bad = make_member(1).ssn
        receiver = self.receiver(lambda request: (400 if request['json']['kennitala'] == bad else 200, {}))
        for index in range(2, 7):
            make_member(index)
        deliver_due()
        self.assertEqual(len(receiver.requests), 6)
        self.assertEqual(sorted(self.statuses()), ['failed'] + ['synced'] * 5)

    def test_no_connection_a_timeout_and_a_missing_secret_have_codes(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            closed = 'http://127.0.0.1:{}/'.format(free.getsockname()[1])
        hanging = self.receiver()
        hanging.answer = hanging.hang
        for url, more, code in (
                (closed, {}, 'connection'), (hanging.url, {'READ_TIMEOUT_SECONDS': 0.2}, 'timeout'),
                (closed, {'WEBHOOK_SECRETS': []}, 'secret_missing'),
                (closed, {'WEBHOOK_SECRETS': ['whsec_!']}, 'secret_unusable'),
                (closed, {'WEBHOOK_SECRETS_FILE': '/nowhere'}, 'secret_unusable')):
            with self.subTest(code=code), override_settings(EKKLESIA_SYNC=webhook_settings(url, **more)):
                models.Comrade.objects.all().delete()
                forget_events()
                make_member(1)
                deliver_due()
                row = MemberSyncQueue.objects.get()
                self.assertEqual((row.sync_status, row.last_error), ('pending', code))

    def test_no_personal_data_reaches_the_log_or_the_error(self):
        self.receiver(lambda request: (503, {}))
        logging.getLogger('ekklesia_sync').setLevel(logging.DEBUG)
        member = make_full_member(1)
        with self.assertLogs('ekklesia_sync', 'DEBUG') as logs:
            deliver_due()
        said = ' '.join(logs.output) + MemberSyncQueue.objects.latest('id').last_error
        for private in (member.ssn, member.ssn[:6], 'Prófun', 'example.is', '5550001'):
            self.assertNotIn(private, said)
