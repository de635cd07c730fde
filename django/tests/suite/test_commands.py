import datetime
import os
import signal
import subprocess
import sys
import tempfile
import time
from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from rest_framework.authtoken.models import Token

from ekklesia_sync.delivery.worker import deliver_due
from ekklesia_sync.models import AppliedChange, MemberSyncQueue, MemberVersion
from membership import models
from suite.helpers import SECRET, events, forget_events, make_full_member, make_member, webhook_settings
from suite.receiver import Receiver


def run(*args, **options):
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue().strip()


class Enqueue(TransactionTestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        override = override_settings(EKKLESIA_SYNC=webhook_settings(self.receiver.url))
        override.enable()
        self.addCleanup(override.disable)

    def test_it_finds_exactly_the_members_that_changed_without_an_event(self):
        members = [make_full_member(index) for index in range(1, 5)]
        deliver_due()
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')
        models.Comrade.objects.filter(pk=members[0].pk).update(name='Hljóðlát breyting')
        models.ContactInfo.objects.filter(pk=members[1].pk).update(phone='5559999')
        models.Comrade.titles.through.objects.filter(comrade_id=members[2].pk).delete()
        self.assertEqual(run('enqueue_members', dry_run=True), '3 to update, 0 to delete (dry run)')
        forget_events()
        self.assertEqual(run('enqueue_members'), '3 to update, 0 to delete')
        self.assertEqual(sorted(MemberSyncQueue.objects.values_list('ssn', flat=True)),
                         sorted(member.ssn for member in members[:3]))
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')
        self.receiver.requests.clear()
        deliver_due()
        names = {request['json']['data']['name'] for request in self.receiver.requests}
        self.assertIn('Hljóðlát breyting', names)
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')

    def test_a_member_deleted_by_raw_sql_is_announced(self):
        member = make_member(1)
        deliver_due()
        models.Comrade.objects.filter(pk=member.pk)._raw_delete('default')
        forget_events()
        self.assertEqual(run('enqueue_members'), '0 to update, 1 to delete')
        self.assertEqual(events(), [('delete', {})])
        deliver_due()
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')

    def test_a_member_who_was_never_delivered_and_is_gone_unseen_leaves_the_sums(self):
        models.Comrade.objects.bulk_create([models.Comrade(ssn='0101801118', name='A')])
        run('make_member_digests')
        models.Comrade.objects.all()._raw_delete('default')
        self.assertEqual(run('enqueue_members'), '0 to update, 1 to delete')
        self.assertFalse(MemberVersion.objects.exclude(digest='').exists())
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')

    def test_a_deletion_that_waits_is_not_announced_again(self):
        member = make_member(1)
        deliver_due()
        models.Comrade.objects.filter(pk=member.pk)._raw_delete('default')
        self.assertEqual(run('enqueue_members'), '0 to update, 1 to delete')
        self.assertEqual(run('enqueue_members'), '0 to update, 0 to delete')

    def test_all_and_since(self):
        for index in range(1, 4):
            make_member(index)
        forget_events()
        self.assertEqual(run('enqueue_members', all=True), '3 to update, 0 to delete')
        versions = set(MemberVersion.objects.values_list('version', flat=True))
        self.assertEqual(versions, set(MemberSyncQueue.objects.values_list('pk', flat=True)))
        self.assertEqual(run('enqueue_members', since='2999-01-01T00:00:00Z'), '0 to update, 0 to delete')
        self.assertEqual(run('enqueue_members', since='2000-01-01T00:00:00Z'), '3 to update, 0 to delete')
        with self.assertRaises(CommandError):
            run('enqueue_members', since='yesterday')


class Cleanup(TestCase):
    def test_only_finished_and_old_events_go_and_versions_stay(self):
        long_ago = timezone.now() - datetime.timedelta(days=31)
        for index, status in enumerate(('pending', 'failed', 'synced', 'superseded', 'cancelled'), 1):
            member = make_member(index)
            MemberSyncQueue.objects.filter(ssn=member.ssn).update(sync_status=status, created_at=long_ago)
        make_member(6)
        MemberSyncQueue.objects.filter(pk=MemberSyncQueue.objects.latest('id').pk).update(sync_status='synced')
        AppliedChange.objects.create(change_id='a', request_hash='', status='success', answer_json='{}',
                                     created_at=long_ago)
        AppliedChange.objects.create(change_id='b', request_hash='', status='success', answer_json='{}')
        self.assertEqual(run('cleanup_member_sync_queue', days=30), '3 events and 1 answers deleted')
        self.assertEqual(list(MemberSyncQueue.objects.order_by('id').values_list('sync_status', flat=True)),
                         ['pending', 'failed', 'synced'])
        self.assertEqual(MemberVersion.objects.count(), 6)
        with self.assertRaises(CommandError):
            run('cleanup_member_sync_queue', days=0)


class SyncToken(TestCase):
    def test_the_user_has_one_permission_and_no_password(self):
        key = run('create_sync_token')
        user = get_user_model().objects.get(username='ekklesia-sync')
        self.assertEqual(Token.objects.get(user=user).key, key)
        self.assertEqual(user.get_all_permissions(), {'ekklesia_sync.use_sync_api'})
        self.assertFalse(user.has_usable_password() or user.is_staff or user.is_superuser)
        self.assertEqual(run('create_sync_token'), key)

    def test_rotate_ends_the_old_token(self):
        old = run('create_sync_token')
        new = run('create_sync_token', rotate=True)
        self.assertNotEqual(old, new)
        self.assertFalse(Token.objects.filter(key=old).exists())


class Deliver(TransactionTestCase):
    def test_once_for_cron(self):
        self.assertIn('not set', run('deliver_member_events'))
        receiver = Receiver()
        self.addCleanup(receiver.close)
        make_member(1)
        with override_settings(EKKLESIA_SYNC=webhook_settings(receiver.url)):
            self.assertEqual(run('deliver_member_events'), '1 delivered, 0 to be retried, 0 refused')

    def test_the_loop_delivers_reads_a_rotated_secret_and_stops_on_sigterm(self):
        receiver = Receiver()
        self.addCleanup(receiver.close)
        with tempfile.NamedTemporaryFile('w', suffix='.secrets') as secrets:
            secrets.write(SECRET + '\n')
            secrets.flush()
            database = connection.settings_dict
            environment = dict(os.environ, REGISTRY_WEBHOOK_URL=receiver.url, REGISTRY_WEBHOOK_SECRETS='',
                               REGISTRY_WEBHOOK_SECRETS_FILE=secrets.name, REGISTRY_DELIVERY='command')
            if connection.vendor == 'postgresql':
                environment['REGISTRY_DATABASE_URL'] = 'postgresql://{USER}@{HOST}:{PORT}/{NAME}'.format(**database)
            else:
                environment['REGISTRY_SQLITE_PATH'] = str(database['NAME'])
            manage = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'manage.py')
            process = subprocess.Popen(
                [sys.executable, '-W', 'ignore', manage, 'deliver_member_events', '--loop', '--interval', '0.1'],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                make_member(1)
                self._wait(lambda: len(receiver.requests) == 1)
                one = receiver.requests[0]['headers']['webhook-signature'].split(' ')
                secrets.write('whsec_' + 'A' * 43 + '=\n')
                secrets.flush()
                make_member(2)
                self._wait(lambda: len(receiver.requests) == 2)
                two = receiver.requests[1]['headers']['webhook-signature'].split(' ')
                self.assertEqual((len(one), len(two)), (1, 2))
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(15), 0)
            finally:
                process.kill()
                process.communicate()

    def _wait(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'nothing was delivered')
            time.sleep(0.02)


class Generate(TestCase):
    def test_the_same_seed_makes_the_same_members_and_no_events(self):
        self.assertEqual(run('generate_members', count=40, seed=7), '43 rows')
        rows = list(models.Comrade.objects.order_by('ssn').values_list('ssn', 'name', 'gender'))
        self.assertEqual(len({ssn for ssn, _, _ in rows}), 43)
        self.assertEqual([ssn[:4] for ssn, _, _ in rows[-3:]], ['9999'] * 3)
        # A living person's number ends in 9 or 0.
        self.assertTrue(all(ssn.endswith('8') for ssn, _, _ in rows[:-3]))
        self.assertEqual(events(), [])
        self.assertEqual(models.ContactInfo.objects.count(), 43)
        self.assertGreater(models.LocalAddress.objects.count(), 20)
        models.Comrade.objects.all().delete()
        run('generate_members', count=40, seed=7)
        self.assertEqual(len(rows), models.Comrade.objects.count())
        again = list(models.Comrade.objects.order_by('ssn').values_list('ssn', 'name', 'gender'))
        self.assertEqual(again[:-3], rows[:-3])
